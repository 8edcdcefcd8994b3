"""Draft tokens in answers, metrics and properties, and the parameter that turns them off."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.live_endpoint import Live, live
from tests.engine.speculation.test_model_drafts import LIMITS, DraftingOpener, right
from tests.fakes import FakeOpener, Script

TEXT = "".join(f"line {n} has the value {n * 37 % 101}\n" for n in range(12))
ROUTES: list[tuple[str, dict[str, object]]] = [
    ("/completion", {"prompt": TEXT}),
    ("/v1/completions", {"prompt": TEXT, "max_tokens": 400}),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": TEXT}]}),
]


@pytest.mark.parametrize(("path", "body"), ROUTES)
def test_timings_count_draft_tokens_unless_they_are_turned_off(path: str, body: dict[str, object]) -> None:
    with live(FakeOpener(Script(answer=TEXT.encode()))) as endpoint:
        found: dict[str, Any] = endpoint.post(body, path).json()
        timings = found["timings"]
        assert 0 < timings["draft_n_accepted"] <= timings["draft_n"]
        assert timings["predicted_n"] == len(TEXT) + 1
        plain = endpoint.post({**body, "speculative.n_max": 0}, path).json()["timings"]
        assert "draft_n" not in plain
        assert plain["predicted_n"] == timings["predicted_n"]
        with endpoint.http() as client:
            metrics = client.get("/metrics").text
            assert f"llamacpp:spec_decode_num_draft_tokens_total {float(timings['draft_n'])}" in metrics
            assert f"llamacpp:spec_decode_num_accepted_tokens_total {float(timings['draft_n_accepted'])}" in metrics
            assert f'inglenook:draft_tokens_total{{kind="ngram"}} {float(timings["draft_n"])}' in metrics
            props = client.get("/props").json()
            assert props["default_generation_settings"]["speculative"] is True
            ngram = {"n": timings["draft_n"], "n_accepted": timings["draft_n_accepted"]}
            assert props["drafts"] == {"kinds": ["ngram"], "mtp_refusal": "", "counts": {"ngram": ngram}}
            assert client.get("/slots").json()[0]["speculative"] is True


def test_props_and_metrics_show_the_acceptance_of_mtp_layers() -> None:
    opener = DraftingOpener(right, LIMITS)
    opener.model.kind = "mtp"
    with live(opener) as endpoint:
        timings = endpoint.post({"messages": [{"role": "user", "content": "Hello"}]}, "/v1/chat/completions").json()
        with endpoint.http() as client:
            drafts, metrics = client.get("/props").json()["drafts"], client.get("/metrics").text
        assert drafts["kinds"] == ["ngram", "mtp"]
        counts = drafts["counts"]["mtp"]
        assert 0 < counts["n_accepted"] <= counts["n"] <= timings["timings"]["draft_n"]
        assert f'inglenook:draft_tokens_accepted_total{{kind="mtp"}} {float(counts["n_accepted"])}' in metrics


def test_number_of_draft_tokens_out_of_range_is_refused(endpoint: Live) -> None:
    for value in (-1, "many", 1.5):
        assert endpoint.post({"prompt": "a", "speculative.n_max": value}, "/completion").status_code == 400
