"""A named key can have limits: requests at once, tokens a day, and models."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import httpx
import pytest

from api.__main__ import main
from api.authentication import OWNER, KeyFile, KeyHolder, KeyLimits, KeyRing
from api.errors import KeyLimitReached
from api.key_quotas import KeyQuotas
from api.model_router import ModelRouter
from api.request_record import ClientInfo, RequestRecord
from engine.events import Embeddings
from tests.api.live_endpoint import ask, live, wait_until
from tests.api.test_model_router import chat, remote, serving, source
from tests.fakes import FakeOpener, Script


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "endpoint-keys.json")


def as_tool(client: httpx.Client, value: str) -> httpx.Client:
    return httpx.Client(base_url=client.base_url, headers={"x-api-key": value}, timeout=20, trust_env=False)


def test_requests_at_once_are_limited_by_key(tmp_path: Path, keys: KeyFile) -> None:
    value = keys.add("tool")
    keys.limit("tool", KeyLimits(n_requests=1))
    script = Script(b"Hello there. " * 200, step_s=0.01)
    with (
        live(FakeOpener(script), named_keys=tmp_path / "endpoint-keys.json") as endpoint,
        endpoint.http() as owner,
        as_tool(owner, value) as tool,
    ):
        with tool.stream("POST", "/v1/chat/completions", json=ask(stream=True)):
            wait_until(lambda: endpoint.n_in_progress == 1)
            second = tool.post("/v1/chat/completions", json=ask(max_tokens=1))
            assert (second.status_code, second.json()["error"]["code"]) == (429, "key_limit_reached")
            assert second.headers["retry-after"] == "2"
            assert owner.post("/v1/chat/completions", json=ask(max_tokens=1)).status_code == 200
        wait_until(lambda: endpoint.n_in_progress == 0)
        assert tool.post("/v1/chat/completions", json=ask(max_tokens=1)).status_code == 200


def test_tokens_a_day_are_limited_by_key(tmp_path: Path, keys: KeyFile) -> None:
    value = keys.add("tool")
    keys.limit("tool", KeyLimits(tokens_per_day=5))
    with (
        live(named_keys=tmp_path / "endpoint-keys.json") as endpoint,
        endpoint.http() as owner,
        as_tool(owner, value) as tool,
    ):
        assert tool.post("/v1/chat/completions", json=ask(max_tokens=4)).status_code == 200
        refused = tool.post("/v1/chat/completions", json=ask(max_tokens=4))
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 86400
        keys.limit("tool", KeyLimits())
        assert tool.post("/v1/chat/completions", json=ask(max_tokens=4)).status_code == 200, "applies at once"


def test_key_reaches_and_sees_only_its_models(tmp_path: Path, keys: KeyFile) -> None:
    value = keys.add("tool")
    keys.limit("tool", KeyLimits(models=("small",)))
    router = ModelRouter([source(remote("small")), source(remote("large"))])
    with (
        serving(router, remote("big"), named_keys=tmp_path / "endpoint-keys.json") as owner,
        as_tool(owner, value) as tool,
    ):
        assert chat(tool, "small").status_code == 200
        for name in ("large", "big", "gpt-4o", None):
            refused = chat(tool, name)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
        assert [each["id"] for each in tool.get("/v1/models").json()["data"]] == ["small"]
        assert [each["name"] for each in tool.get("/api/tags").json()["models"]] == ["small"]
        assert tool.post("/v1/embeddings", json={"model": "large", "input": "a"}).status_code == 403
        assert len(owner.get("/v1/models").json()["data"]) == 3


def test_tokens_count_anew_at_midnight() -> None:
    now = [86400.0 * 3 - 10]
    quotas, holder = KeyQuotas(lambda: now[0]), KeyHolder("a", "1", KeyLimits(tokens_per_day=5))
    record = RequestRecord("r", ClientInfo("", holder, "/v1/embeddings"), lambda: None, lambda: None, "embedding")
    record.end(Embeddings((), 7))
    quotas.count(holder, record.view())
    with pytest.raises(KeyLimitReached) as caught:
        quotas.check(1, holder, [])
    assert caught.value.retry_after_s == 10
    quotas.check(1, dataclasses.replace(holder, id="2"), [])
    quotas.check(1, OWNER, [])
    now[0] += 10
    quotas.check(1, holder, [])


def test_limits_are_stored_listed_and_removed_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: KeyFile
) -> None:
    value = keys.add("tool")
    command = ["key", "--profile", str(tmp_path), "limit", "tool"]
    assert main([*command, "--requests", "2", "--tokens-per-day", "900", "--model", "a", "--model", "b"]) == 0
    expected = KeyLimits(2, 900, ("a", "b"))
    assert KeyRing("own", tmp_path / "endpoint-keys.json").holder_of([value.encode()]).limits == expected
    assert main(command) == 0
    assert keys.read()[0].limits == KeyLimits()
    assert main(["key", "--profile", str(tmp_path), "limit", "nobody"]) == 1
    assert "no key named 'nobody'" in capsys.readouterr().err
