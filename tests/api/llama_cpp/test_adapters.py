"""LoRA adapters over the API: the list, the scales of all requests, and those of a single request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.__main__ import main
from api.adapter_option import adapter
from api.authentication import KeyFile
from api.errors import BadRequest
from api.fields.adapters import check_scales
from api.llama_cpp.request import completion_request
from api.llama_cpp.schemas import LlamaCompletionBody
from api.openai.chat.request import chat_request
from api.openai.chat.schemas import ChatCompletionBody
from engine.adapter import Adapter
from engine.backend import LoadSettings
from engine.errors import AdapterError
from tests.api.live_endpoint import Live, ask, live
from tests.fakes import FakeBackend, FakeOpener, Script

ADAPTERS = (Adapter(Path("/secret/style.gguf")), Adapter(Path("/secret/names.gguf"), 0.5))


@pytest.fixture
def adapted() -> Iterator[Live]:
    with live(FakeOpener(Script(b"Hello there.")), load_settings=LoadSettings(adapters=ADAPTERS)) as endpoint:
        yield endpoint


def listed(endpoint: Live) -> list[tuple[int, str, float]]:
    with endpoint.http() as client:
        shown = client.get("/lora-adapters").json()
    return [(each["id"], each["path"], each["scale"]) for each in shown]


def used_scales(endpoint: Live) -> tuple[float, ...]:
    """The scales of the last decode."""
    return endpoint.opener.backends[-1].adapter_scales[-1]


def test_lora_field_is_translated_in_completions_and_chats() -> None:
    lora = [{"id": 2, "scale": 1}, {"id": 0, "scale": -0.5}]
    completion = LlamaCompletionBody.model_validate({"prompt": "a", "lora": lora})
    assert completion_request(completion, "a", "1").adapter_scales == (-0.5, 0.0, 1.0)
    chat = ChatCompletionBody.model_validate(ask(lora=lora))
    assert chat_request(chat, "1").adapter_scales == (-0.5, 0.0, 1.0)
    empty = LlamaCompletionBody.model_validate({"prompt": "a", "lora": []})
    assert completion_request(empty, "a", "1").adapter_scales is None
    with pytest.raises(BadRequest, match="has the id 2, but the model has 2 adapters"):
        check_scales((-0.5, 0.0, 1.0), 2)


def test_adapters_are_listed_without_their_folder(adapted: Live) -> None:
    assert listed(adapted) == [(0, "style.gguf", 1.0), (1, "names.gguf", 0.5)]


def test_posted_scales_apply_to_later_requests_and_the_lora_field_to_one(adapted: Live) -> None:
    answer = adapted.post([{"id": 1, "scale": 0.25}], "/lora-adapters")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert listed(adapted) == [(0, "style.gguf", 0.0), (1, "names.gguf", 0.25)]
    assert adapted.post({"prompt": "a", "n_predict": 2}, "/completion").status_code == 200
    assert used_scales(adapted) == (0.0, 0.25)
    for path, body in (
        ("/completion", {"prompt": "a"}),
        ("/v1/completions", {"prompt": "a"}),
        ("/v1/chat/completions", ask("a")),
    ):
        adapted.post({**body, "max_tokens": 2}, path)
        assert used_scales(adapted) == (0.0, 0.25)
        shown = adapted.post({**body, "max_tokens": 2, "lora": [{"id": 0, "scale": 2}]}, path)
        assert shown.status_code == 200
        assert used_scales(adapted) == (2.0, 0.0)
    with_lora = adapted.post({"prompt": "a", "n_predict": 1, "lora": [{"id": 1, "scale": 1}]}, "/completion").json()
    assert with_lora["generation_settings"]["lora"] == [{"id": 1, "scale": 1.0}]
    assert adapted.post([], "/lora-adapters").status_code == 200
    assert listed(adapted) == [(0, "style.gguf", 0.0), (1, "names.gguf", 0.0)]


@pytest.mark.parametrize(
    "lora",
    [
        [{"id": 2, "scale": 1}],
        [{"id": -1, "scale": 1}],
        [{"id": 0}],
        [{"id": 0, "scale": 1e9}],
        [{"id": 0, "scale": "1"}],
        [{"id": 0, "scale": 1}] * 50,
        {"id": 0, "scale": 1},
    ],
)
def test_invalid_scales_are_refused(adapted: Live, lora: object) -> None:
    for answer in (
        adapted.post({"prompt": "a", "lora": lora}, "/completion"),
        adapted.post(ask(lora=lora, stream=True)),
        adapted.post(lora, "/lora-adapters"),
    ):
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["code"] == "invalid_value"
    assert listed(adapted) == [(0, "style.gguf", 1.0), (1, "names.gguf", 0.5)]


def test_model_without_adapters_has_an_empty_list_and_refuses_the_lora_field(endpoint: Live) -> None:
    assert listed(endpoint) == []
    refused = endpoint.post({"prompt": "a", "lora": [{"id": 0, "scale": 1}]}, "/completion")
    assert refused.json()["error"]["message"] == "'lora' has the id 0, but the model has 0 adapters."


def test_key_of_a_tool_cannot_change_the_scales_of_others(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    tool = KeyFile(keys).add("tool")
    with (
        live(named_keys=keys, load_settings=LoadSettings(adapters=ADAPTERS)) as endpoint,
        endpoint.http(authorization=f"Bearer {tool}") as client,
    ):
        refused = client.post("/lora-adapters", json=[{"id": 0, "scale": 0}])
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "own_key_needed")
        allowed = client.post("/completion", json={"prompt": "a", "lora": [{"id": 0, "scale": 0}]})
        assert allowed.status_code == 200


def test_model_is_loaded_again_with_its_adapters() -> None:
    settings = LoadSettings(adapters=ADAPTERS)
    with live(model_changes=Path("fake.gguf"), load_settings=settings) as endpoint:
        assert endpoint.post({}, "/models/unload").status_code == 200
        assert endpoint.post({}, "/models/load").status_code == 200
        assert [name for _, name, _ in listed(endpoint)] == ["style.gguf", "names.gguf"]


def test_adapter_that_is_listed_twice_is_refused(adapted: Live) -> None:
    twice = [{"id": 0, "scale": 1}, {"id": 0, "scale": 0.5}]
    for answer in (
        adapted.post({"prompt": "a", "lora": twice}, "/completion"),
        adapted.post(ask(lora=twice)),
        adapted.post(twice, "/lora-adapters"),
    ):
        assert answer.status_code == 400
        assert "The id 0 is listed more than once." in answer.json()["error"]["message"]
    assert listed(adapted) == [(0, "style.gguf", 1.0), (1, "names.gguf", 0.5)]


def test_props_say_which_adapter_was_left_out() -> None:
    class Opener(FakeOpener):
        def __call__(self, *arguments: Any) -> FakeBackend:
            backend = super().__call__(*arguments)
            error = AdapterError(Path("/secret/gone.gguf"), "there is no such file")
            backend.info = replace(backend.info, adapter_errors=(error,))
            return backend

    with live(Opener(Script(b"a"))) as endpoint, endpoint.http() as client:
        shown = client.get("/props").json()["load_warnings"]
    assert shown == ["the adapter gone.gguf is not used: there is no such file"]


def test_value_of_the_lora_option_is_a_path_and_an_optional_scale(tmp_path: Path) -> None:
    plain, with_sign = tmp_path / "a.gguf", tmp_path / "a=2"
    plain.touch()
    with_sign.touch()
    assert adapter(str(plain)) == Adapter(plain)
    assert adapter(f"{plain}=-0.5") == Adapter(plain, -0.5)
    assert adapter(str(with_sign)) == Adapter(with_sign), "the file a=2 exists, the file a does not"
    assert adapter(f"{with_sign}=-1") == Adapter(with_sign, -1.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{}=abc", "the scale 'abc' is not a number; the form is PATH[=SCALE]"),
        ("{}=", "the scale '' is not a number; the form is PATH[=SCALE]"),
        ("{}=nan", "the scale nan is not between -100 and 100"),
        ("{}=1e9", "the scale 1e9 is not between -100 and 100"),
        ("{}x", "there is no file '{}x'; the form is PATH[=SCALE]"),
        ("{}x=1", "there is no file '{}x'; the form is PATH[=SCALE]"),
    ],
)
def test_wrong_value_of_the_lora_option_is_a_usage_error(
    value: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.gguf"
    file.touch()
    with pytest.raises(SystemExit) as ended:
        main(["--lora", value.format(file)])
    assert ended.value.code == 2
    assert message.format(file) in " ".join(capsys.readouterr().err.split())
