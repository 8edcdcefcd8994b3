"""llm, from PyPI: its models are named in a file of its own."""

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
def model(served: RealEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> llm.Model:
    entry = {
        "model_id": "inglenook",
        "model_name": served.model,
        "api_base": served.url,
        "api_key_name": "inglenook",
        "supports_schema": True,
        "supports_tools": True,
    }
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps([entry]))  # JSON is YAML
    (tmp_path / "keys.json").write_text(json.dumps({"inglenook": served.key}))
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    import llm

    return llm.get_model("inglenook")


def test_chat_whole_and_streamed_say_the_same(model: llm.Model) -> None:
    asked: Any = {"temperature": 0, "max_tokens": 7}
    whole = model.prompt(QUESTION, stream=False, **asked).text()
    assert whole
    assert "".join(model.prompt(QUESTION, stream=True, **asked)) == whole


def test_a_structured_answer_keeps_to_its_schema(model: llm.Model) -> None:
    answer = model.prompt(QUESTION, schema=COLOURS, stream=False, max_tokens=60)
    assert json.loads(answer.text())["colour"] in ("red", "blue")


def test_an_abort_frees_the_slot(served: RealEndpoint, model: llm.Model) -> None:
    answer = model.prompt(ENDLESS, stream=True, temperature=0)
    for _, _part in zip(range(3), answer, strict=False):
        pass
    del answer  # it has no other way to be given up
    gc.collect()
    served.was_freed()


def test_errors_are_the_clients_own(model: llm.Model, tmp_path: Path) -> None:
    import llm
    from openai import AuthenticationError, BadRequestError

    with pytest.raises((BadRequestError, llm.ModelError), match="maximum context length is"):
        model.prompt(TOO_LONG, stream=False).text()
    (tmp_path / "keys.json").write_text(json.dumps({"inglenook": "wrong"}))
    with pytest.raises((AuthenticationError, llm.ModelError), match="needs its key"):
        model.prompt(QUESTION, stream=False).text()
