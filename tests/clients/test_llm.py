"""The Python client `llm`, unmodified, with the endpoint and the real model. The client reads its list of models from a
file."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.real_endpoint import COLOURS, ENDLESS, QUESTION, TOO_LONG, RealEndpoint

if TYPE_CHECKING:
    import llm


@pytest.fixture
def model(endpoint: RealEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> llm.Model:
    entry = {
        "model_id": "inglenook",
        "model_name": endpoint.model,
        "api_base": endpoint.url,
        "api_key_name": "inglenook",
        "supports_schema": True,
        "supports_tools": True,
    }
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps([entry]))  # JSON is valid YAML
    (tmp_path / "keys.json").write_text(json.dumps({"inglenook": endpoint.key}))
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    import llm

    return llm.get_model("inglenook")


def test_whole_and_streamed_answers_are_equal(model: llm.Model) -> None:
    body: Any = {"temperature": 0, "max_tokens": 7}
    whole = model.prompt(QUESTION, stream=False, **body).text()
    assert whole
    assert "".join(model.prompt(QUESTION, stream=True, **body)) == whole


def test_structured_answer_follows_schema(model: llm.Model) -> None:
    answer = model.prompt(QUESTION, schema=COLOURS, stream=False, max_tokens=60)
    assert json.loads(answer.text())["colour"] in ("red", "blue")


def test_aborted_stream_frees_slot(endpoint: RealEndpoint, model: llm.Model) -> None:
    answer = model.prompt(ENDLESS, stream=True, temperature=0)
    for _, _part in zip(range(3), answer, strict=False):
        pass
    del answer  # `llm` has no method that aborts an answer
    gc.collect()
    endpoint.assert_last_was_cancelled()


def test_endpoint_errors_raise_the_exceptions_of_the_client(model: llm.Model, tmp_path: Path) -> None:
    import llm
    from openai import AuthenticationError, BadRequestError

    with pytest.raises((BadRequestError, llm.ModelError), match="maximum context length is"):
        model.prompt(TOO_LONG, stream=False).text()
    (tmp_path / "keys.json").write_text(json.dumps({"inglenook": "wrong"}))
    with pytest.raises((AuthenticationError, llm.ModelError), match="needs its key"):
        model.prompt(QUESTION, stream=False).text()
