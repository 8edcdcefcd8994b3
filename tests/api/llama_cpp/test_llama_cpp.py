"""The routes of llama.cpp's server: first their translation, with streams compared byte by byte, then over HTTP."""

from __future__ import annotations

import json

import pytest

from api.errors import BadRequest, UnsupportedParameter
from api.llama_cpp.answer import LlamaChunkWriter, LlamaResponseOptions, token_pieces
from api.llama_cpp.props import slot_list
from api.llama_cpp.request import completion_prompts, completion_request, infill_context
from api.llama_cpp.schemas import InfillBody, LlamaCompletionBody
from engine.errors import EngineDead
from engine.events import Failed, Finished, Started, TextDelta, Timings, Usage
from engine.requests import CompletionRequest, Constraint, Sampling
from engine.status import ModelProps
from tests.api.live_endpoint import Live, ask, live, wait_until
from tests.fakes import FakeOpener, Script

TIMINGS = Timings(0.0, 0.25, 0.5, 0.25)


def test_streamed_completion_matches_expected_bytes() -> None:
    writer = LlamaChunkWriter(LlamaResponseOptions("alias", {"seed": 7}))
    events = (Started(9, 4), TextDelta("Hel", 1), TextDelta("lo", 2), Finished("length", Usage(9, 4, 3), TIMINGS))
    assert b"".join(writer.frames(0, event) for event in events).decode() == (
        'data: {"index":0,"content":"Hel","tokens":[],"stop":false,"id_slot":-1,"tokens_predicted":1,'
        '"tokens_evaluated":9}\n\n'
        'data: {"index":0,"content":"lo","tokens":[],"stop":false,"id_slot":-1,"tokens_predicted":3,'
        '"tokens_evaluated":9}\n\n'
        'data: {"index":0,"content":"","tokens":[],"id_slot":-1,"stop":true,"model":"alias","tokens_predicted":3,'
        '"tokens_evaluated":9,"tokens_cached":4,"generation_settings":{"seed":7},"truncated":false,"stop_type":"limit","stopping_word":"",'
        '"timings":{"cache_n":4,"prompt_n":5,"prompt_ms":250.0,"prompt_per_token_ms":50.0,"prompt_per_second":20.0,'
        '"predicted_n":3,"predicted_ms":500.0,"predicted_per_token_ms":166.667,"predicted_per_second":6.0}}\n\n'
    )
    assert b'"code":"engine_dead"' in writer.frames(0, Failed(EngineDead("x")))


def test_completion_body_is_translated_to_engine_request() -> None:
    body = LlamaCompletionBody(prompt="a", n_predict=5, top_k=3, grammar="root ::= [a]", stop=["x"], n_probs=2)
    assert completion_request(body, "a", "1") == CompletionRequest(
        "a",
        "endpoint",
        Sampling(top_k=3),
        constraint=Constraint("gbnf", "root ::= [a]"),
        max_tokens=5,
        stop=("x",),
        n_logprobs=2,
        id="1",
    )


@pytest.mark.parametrize(
    ("samplers", "expected"),
    [
        (["top_k", "temperature"], Sampling(top_k=3, top_p=1.0, min_p=0.0)),
        ("kt", Sampling(top_k=3, top_p=1.0, min_p=0.0)),
        (["top_p"], Sampling(temperature=1.0, top_k=0, min_p=0.0)),
        (
            ["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"],
            Sampling(top_k=3),
        ),
        (["dry", "penalties", "top_k", "top_p", "min_p", "temperature"], Sampling(top_k=3)),
    ],
)
def test_samplers_not_listed_are_disabled(samplers: object, expected: Sampling) -> None:
    body = LlamaCompletionBody.model_validate({"prompt": "a", "top_k": 3, "samplers": samplers})
    assert completion_request(body, "a", "1").sampling == expected


@pytest.mark.parametrize("samplers", [["temperature", "top_k"], ["top_k", "top_k"], ["infill"], "kz", ["mirostat"]])
def test_unknown_sampler_or_other_sampler_order_is_refused(samplers: object) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        completion_request(LlamaCompletionBody.model_validate({"prompt": "a", "samplers": samplers}), "a", "1")
    assert caught.value.param == "samplers"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("post_sampling_probs", True),
        ("t_max_predict_ms", 100),
        ("response_format", {"type": "json_object"}),
    ],
)
def test_unsupported_completion_parameters_are_refused(name: str, value: object) -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        completion_request(LlamaCompletionBody.model_validate({"prompt": "a", name: value}), "a", "1")
    assert caught.value.param == name


def test_completion_ignores_slot_and_prompt_shortening_fields() -> None:
    sent = {"prompt": "a", "id_slot": 0, "n_keep": 4, "n_discard": 2, "cache_prompt": True, "temperature": 3.5}
    body = LlamaCompletionBody.model_validate_json(json.dumps({**sent, "min_keep": 5}))
    assert completion_request(body, "a", "1").sampling == Sampling(temperature=3.5, min_keep=5)


def test_prompts_in_every_accepted_form_are_parsed() -> None:
    assert completion_prompts("a") == ["a"]
    assert completion_prompts([1, 2]) == [(1, 2)]
    assert completion_prompts(["a", [1, 2], {"prompt_string": "b"}]) == ["a", (1, 2), "b"]
    assert completion_prompts({"prompt_string": "b", "multimodal_data": []}) == ["b"]
    with pytest.raises(UnsupportedParameter):
        completion_prompts({"prompt_string": "b", "multimodal_data": ["x"]})
    refused: list[object] = [{}, [{}], {"prompt_string": 3}]
    for bad in refused:
        with pytest.raises(BadRequest):
            completion_prompts(bad)


def test_infill_ignores_the_time_limits_that_editors_send() -> None:
    sent = {
        "input_prefix": "def f(",
        "input_suffix": ")",
        "input_extra": [{"filename": "a.py", "text": "import a"}],
        "prompt": "x",
        "n_predict": 128,
        "samplers": ["top_k", "top_p", "infill"],
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": 1000,
        "n_indent": 4,
        "id_slot": 0,
        "response_fields": ["content"],
    }
    body = InfillBody.model_validate_json(json.dumps(sent))
    assert completion_request(body, "p", "1").max_tokens == 128
    assert infill_context(body) == "a.py\nimport a\n\n"


def test_token_piece_that_is_not_utf8_is_returned_as_bytes() -> None:
    assert token_pieces((1, 2), (b"a", b"\xc3")) == [{"id": 1, "piece": "a"}, {"id": 2, "piece": [195]}]


def test_slot_list_shows_running_requests() -> None:
    request, two, one = CompletionRequest("a", "endpoint", id="r"), slots_of(2), slots_of(1)
    assert [(slot["id"], slot["id_task"], slot["is_processing"]) for slot in slot_list(two, 64, [request], {"r"})] == [
        (0, "r", True),
        (1, -1, False),
    ]
    assert len(slot_list(two, 64, [request] * 5, {"r"})) == 2
    hidden = slot_list(one, 64, [request], ())[0]
    assert (hidden["id_task"], hidden["is_processing"], hidden["params"]) == (-1, True, {})
    assert hidden["speculative"] is True


def slots_of(n_running: int) -> ModelProps:
    return ModelProps("", "", "", n_running, supports_fim=False, supports_drafts=True)


def test_tokenize_then_detokenize_returns_text(endpoint: Live) -> None:
    tokens = endpoint.post({"content": "Hé"}, "/tokenize").json()["tokens"]
    assert tokens == list("Hé".encode())
    assert endpoint.post({"tokens": tokens}, "/detokenize").json() == {"content": "Hé"}
    with_pieces = endpoint.post({"content": "Hé", "with_pieces": True}, "/tokenize").json()["tokens"]
    assert with_pieces[0] == {"id": 72, "piece": "H"}
    assert with_pieces[1]["piece"] == [195]
    assert endpoint.post({"tokens": [99999]}, "/detokenize").status_code == 400
    assert endpoint.post({"content": "a", "parse_special": False}, "/tokenize").json() == {"tokens": [97]}


def test_apply_template_returns_prompt(endpoint: Live) -> None:
    shown = endpoint.post(ask("Hi"), "/apply-template").json()
    assert shown == {"prompt": "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"}
    counted = endpoint.post(ask("Hi"), "/v1/chat/completions/input_tokens").json()
    assert counted["input_tokens"] == len(shown["prompt"])


def test_whole_and_streamed_infill_answers_are_equal(endpoint: Live) -> None:
    body = {"input_prefix": "def f(", "input_suffix": ")"}
    whole = endpoint.post(body, "/infill").json()
    assert (whole["content"], whole["stop_type"]) == ("Hello there.", "eos")
    wire = endpoint.post({**body, "stream": True}, "/infill").text
    frames = [json.loads(line[6:]) for line in wire.splitlines() if line]
    assert "".join(frame["content"] for frame in frames) == "Hello there."
    assert [frame["stop"] for frame in frames][-1]
    assert endpoint.post({"prompt": "a", "n_predict": 2}, "/completion").json()["content"] == "He"


def test_completion_of_several_prompts_returns_a_list(endpoint: Live) -> None:
    shown = endpoint.post({"prompt": ["a", {"prompt_string": "b"}], "n_predict": 2}, "/completion").json()
    assert [(each["index"], each["content"]) for each in shown] == [(0, "He"), (1, "He")]
    wire = endpoint.post({"prompt": ["a", "b"], "n_predict": 2, "stream": True}, "/completion").text
    frames = [json.loads(line[6:]) for line in wire.splitlines() if line]
    for index in (0, 1):
        own = [frame for frame in frames if frame["index"] == index]
        assert "".join(frame["content"] for frame in own) == "He"
        assert [frame["stop"] for frame in own].count(True) == 1


@pytest.mark.parametrize("path", ["/completion", "/infill"])
def test_n_predict_zero_caches_prompt_and_returns_no_text(endpoint: Live, path: str) -> None:
    body = {"prompt": "x" * 60} if path == "/completion" else {"input_prefix": "x" * 60, "input_suffix": "y"}
    warmed = endpoint.post({**body, "n_predict": 0, "id_slot": 0}, path).json()
    assert (warmed["content"], warmed["tokens_predicted"], warmed["stop_type"]) == ("", 0, "limit")
    wire = endpoint.post({**body, "n_predict": 0, "stream": True}, path).text
    (frame,) = [json.loads(line[6:]) for line in wire.splitlines() if line]
    assert (frame["content"], frame["stop"]) == ("", True)
    again = endpoint.post({**body, "n_predict": 2}, path).json()
    assert again["content"] == "He"
    assert again["tokens_cached"] >= 50


def test_answer_contains_ids_of_tokens_and_of_their_alternatives(endpoint: Live) -> None:
    body = {"prompt": "a", "n_predict": 2, "n_probs": 2, "return_tokens": True}
    shown = endpoint.post(body, "/completion").json()
    assert shown["tokens"] == list(b"He")
    first = shown["completion_probabilities"][0]
    assert (first["id"], first["token"], len(first["top_logprobs"])) == (72, "H", 2)
    assert all(isinstance(each["id"], int) and each["id"] >= 0 for each in first["top_logprobs"])
    without = endpoint.post({"prompt": "a", "n_predict": 2, "return_tokens": True}, "/completion").json()
    assert without["tokens"] == list(b"He")
    assert "completion_probabilities" not in without
    assert endpoint.post({"prompt": "a", "n_predict": 2}, "/completion").json()["tokens"] == []


def test_only_fields_listed_in_response_fields_are_returned(endpoint: Live) -> None:
    fields = ["content", "generation_settings/n_predict", "timings/nothing", "absent"]
    shown = endpoint.post({"prompt": "a", "n_predict": 2, "response_fields": fields}, "/completion").json()
    assert shown == {"content": "He", "generation_settings/n_predict": 2}


def test_answer_contains_generation_settings_of_the_request(endpoint: Live) -> None:
    shown = endpoint.post({"prompt": "a", "n_predict": 2, "top_k": 5, "seed": 3}, "/completion").json()
    settings = shown["generation_settings"]
    assert (settings["top_k"], settings["seed"], settings["n_predict"]) == (5, 3, 2)


def test_stop_string_that_ended_the_answer_is_returned(endpoint: Live) -> None:
    whole = endpoint.post({"prompt": "a", "stop": ["END", "th"]}, "/completion").json()
    assert (whole["content"], whole["stop_type"], whole["stopping_word"]) == ("Hello ", "word", "th")
    wire = endpoint.post({"prompt": "a", "stop": ["th"], "stream": True}, "/completion").text
    assert '"stop_type":"word","stopping_word":"th"' in wire
    cut = endpoint.post({"prompt": "a", "stop": ["th"], "n_predict": 2}, "/completion").json()
    assert (cut["stop_type"], cut["stopping_word"]) == ("limit", "")


def test_props_and_slots_do_not_contain_path_of_model(endpoint: Live) -> None:
    with endpoint.http() as client:
        props = client.get("/props").json()
        assert client.get("/v1/health").json() == {"status": "ok"}
        assert len(client.get("/slots").json()) == props["total_slots"] == 16
    assert props["default_generation_settings"]["n_ctx"] == 4096
    assert "secret" not in json.dumps(props)


def test_slots_show_running_request() -> None:
    with live(FakeOpener(Script(step_s=0.01))) as endpoint, endpoint.http() as client:
        with client.stream("POST", "/v1/chat/completions", json=ask(stream=True)):
            busy = [slot for slot in client.get("/slots").json() if slot["is_processing"]]
            assert len(busy) == 1
            assert client.get("/slots?fail_on_no_slot=1").status_code == 200
        wait_until(lambda: endpoint.n_in_progress == 0)


def test_metrics_have_prometheus_format() -> None:
    with live() as endpoint, endpoint.http() as client:
        endpoint.post(ask())
        endpoint.post(ask("x" * 9000))
        shown = client.get("/metrics")
    assert shown.headers["content-type"].startswith("text/plain")
    lines = shown.text.splitlines()
    assert "llamacpp:tokens_predicted_total 13.0" in lines
    assert 'inglenook:requests_total{end="finished"} 1.0' in lines
    assert 'inglenook:requests_total{end="failed"} 1.0' in lines
    assert "llamacpp:requests_processing 0.0" in lines


def test_totals_include_finished_and_failed_requests() -> None:
    with live() as endpoint:
        endpoint.post(ask(n=2))
        endpoint.post(ask("x" * 9000))
        totals = endpoint.app.state.activity.totals
        assert (totals.n_finished, totals.n_failed, totals.n_cancelled, totals.n_output) == (2, 1, 0, 26)
        assert totals.n_read > 0
