"""OpenAI's completions: first the translation in both directions, then over HTTP."""

from __future__ import annotations

import json

import openai
import pytest

from api.answer import Answer
from api.errors import BadRequest
from api.fields.prompts import parse_prompts
from api.openai.chat.answer import ResponseMeta
from api.openai.completions.answer import CompletionChunkWriter, CompletionResponseOptions, text_completion
from api.openai.completions.request import check, completion_requests
from api.openai.completions.schemas import CompletionBody
from engine.events import Event, Finished, Started, TextDelta, Timings, TokenChoice, Usage
from engine.requests import CompletionRequest, Constraint
from tests.api.live_endpoint import Live, live
from tests.fakes import FakeOpener, Script

META = ResponseMeta("cmpl-1", 1, "alias")
TIMINGS = Timings(0.0, 0.25, 0.5, 0.25)
START = '{"id":"cmpl-1","object":"text_completion","created":1,"model":"alias","choices":'


def body(**fields: object) -> CompletionBody:
    return CompletionBody.model_validate_json(json.dumps({"prompt": "Once", **fields}))


def requests_of(**fields: object) -> list[CompletionRequest]:
    given = body(**fields)
    prompts = parse_prompts(given.prompt, "prompt")
    check(given, prompts)
    return completion_requests(given, prompts, "r")


def finished(n_output: int = 2, reason: str = "stop") -> Finished:
    assert reason in ("stop", "length")
    return Finished("stop" if reason == "stop" else "length", Usage(3, 1, n_output), TIMINGS)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", ["a"]),
        ("", [""]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [(1, 2)]),
        ([[1, 2], [3]], [(1, 2), (3,)]),
        (["a", [1]], ["a", (1,)]),
    ],
)
def test_prompts_in_every_accepted_form_are_parsed(given: object, expected: object) -> None:
    assert parse_prompts(given, "prompt") == expected


@pytest.mark.parametrize("given", [None, 3, [], {}, [None], [1, "a"], [[1, -1]], [[True]], [1.5], [2**31], ["a"] * 513])
def test_invalid_prompts_are_refused(given: object) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_prompts(given, "prompt")
    assert (caught.value.param or "").startswith("prompt")


def test_completion_body_becomes_one_engine_request_per_prompt_and_choice() -> None:
    found = requests_of(prompt=["a", "b"], n=2, seed=5, max_tokens=7, stop="x")
    assert [(each.prompt, each.sampling.seed, each.id) for each in found] == [
        ("a", 5, "r-0-0"),
        ("a", 6, "r-0-1"),
        ("b", 5, "r-1-0"),
        ("b", 6, "r-1-1"),
    ]
    assert {each.max_tokens for each in found} == {7}
    assert {each.stop for each in found} == {("x",)}


def test_logprobs_are_generated_if_best_of_exceeds_n() -> None:
    assert [each.n_logprobs for each in requests_of(best_of=2)] == [0, 0]
    assert [each.n_logprobs for each in requests_of(n=2, best_of=2)] == [None, None]
    assert requests_of(logprobs=3)[0].n_logprobs == 3


def test_prompt_logprobs_are_computed_only_for_echo_with_logprobs() -> None:
    assert requests_of(echo=True, logprobs=1)[0].prompt_logprobs
    assert not requests_of(echo=True)[0].prompt_logprobs
    assert not requests_of(logprobs=1)[0].prompt_logprobs
    assert requests_of(max_tokens=0)[0].max_tokens == 1
    assert requests_of(max_tokens=-1)[0].max_tokens == 2**31 - 1
    assert requests_of()[0].max_tokens == requests_of(max_tokens=None)[0].max_tokens == 16


def test_grammar_becomes_constraint() -> None:
    assert requests_of(grammar="root ::= [a-z]")[0].constraint == Constraint("gbnf", "root ::= [a-z]")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 3, "best_of": 2}, "best_of"),
        ({"best_of": 2, "stream": True}, "best_of"),
        ({"stream_options": {}}, "stream_options"),
        ({"prompt": ["a"] * 10, "n": 100}, "n"),
        ({"prompt": [1, 2], "suffix": "b"}, "suffix"),
        ({"suffix": "b", "echo": True}, "suffix"),
        ({"n_probs": 4}, "n_probs"),
    ],
)
def test_error_for_unsupported_combination_names_the_field(fields: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        requests_of(**fields)
    assert caught.value.param == param


def write(options: CompletionResponseOptions, n_prompts: int, *events: tuple[int, Event]) -> str:
    writer = CompletionChunkWriter(META, options, n_prompts)
    return b"".join(writer.frames(index, event) for index, event in events).decode()


def test_streamed_completion_matches_expected_bytes() -> None:
    wire = write(
        CompletionResponseOptions(include_usage=True), 1, (0, Started(3, 1)), (0, TextDelta("Hel", 1)), (0, finished())
    )
    assert wire == (
        f'data: {START}[{{"text":"Hel","index":0,"logprobs":null,"finish_reason":null}}]}}\n\n'
        f'data: {START}[{{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}}]}}\n\n'
        f'data: {START}[],"usage":{{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,'
        '"prompt_tokens_details":{"cached_tokens":1}}}\n\n'
        "data: [DONE]\n\n"
    )


def test_stream_with_echo_begins_each_choice_with_its_prompt() -> None:
    options = CompletionResponseOptions(echoes=("a", "b"))
    wire = write(options, 2, (1, Started(3, 1)), (1, finished()), (0, Started(3, 1)), (0, finished()))
    frames = [json.loads(line[6:])["choices"][0] for line in wire.splitlines() if line.startswith("data: {")]
    assert [(each["index"], each["text"], each["finish_reason"]) for each in frames] == [
        (1, "b", None),
        (1, "", "stop"),
        (0, "a", None),
        (0, "", "stop"),
    ]
    assert wire.endswith("data: [DONE]\n\n")


PROMPT = (TokenChoice(b"On", 0.0), TokenChoice(b"ce", -0.25, ((b"ce", -0.25),)))


def test_echo_with_logprobs_lists_every_sampled_token() -> None:
    """The end-of-generation token has no text, but is listed. Some clients remove the last log probability, which must
    therefore be that of this token."""
    answer = Answer("", finished(1), prompt=PROMPT)
    shown = text_completion(META, [answer], CompletionResponseOptions(echoes=("Once",), logprobs=True))
    assert json.dumps(shown["choices"]) == json.dumps(
        [
            {
                "text": "Once",
                "index": 0,
                "logprobs": {
                    "tokens": ["On", "ce", ""],
                    "token_logprobs": [None, -0.25, None],
                    "top_logprobs": [None, {"ce": -0.25}, None],
                    "text_offset": [0, 2, 4],
                },
                "finish_reason": "stop",
            }
        ]
    )


def test_max_tokens_zero_returns_only_the_echoed_prompt() -> None:
    options = CompletionResponseOptions(echoes=("Once",), logprobs=True, prompt_only=True)
    answer = Answer(" up", finished(1, "length"), choices=(TokenChoice(b" up", -1.0),), prompt=PROMPT)
    shown = json.loads(json.dumps(text_completion(META, [answer], options)))
    assert shown["choices"][0]["text"] == "Once"
    assert shown["choices"][0]["logprobs"]["tokens"] == ["On", "ce"]
    assert shown["usage"]["completion_tokens"] == 0
    streamed = write(options, 1, (0, Started(3, 1, PROMPT)), (0, TextDelta(" up", 1)), (0, finished(1)))
    assert "up" not in streamed
    assert '"token_logprobs":[null,-0.25]' in streamed


def test_best_of_returns_the_n_likeliest_answers() -> None:
    answers = [
        Answer("bad", finished(), choices=(TokenChoice(b"bad", -2.0),)),
        Answer("good", finished(), choices=(TokenChoice(b"go", -0.1), TokenChoice(b"od", -0.2))),
        Answer("mute", finished()),
    ]
    shown = json.loads(json.dumps(text_completion(META, answers, CompletionResponseOptions(n=2, n_generated=3))))
    assert [choice["text"] for choice in shown["choices"]] == ["good", "bad"]
    assert [choice["index"] for choice in shown["choices"]] == [0, 1]
    assert shown["usage"]["completion_tokens"] == 6
    assert shown["usage"]["prompt_tokens"] == 3


def test_openai_client_gets_completion(endpoint: Live) -> None:
    with endpoint.openai() as client:
        answer = client.completions.create(model="x", prompt=["One", "Two"], n=2, echo=True)
        chunks = list(client.completions.create(model="x", prompt="One", stream=True))
        from_tokens = client.completions.create(model="x", prompt=[79, 110, 101], echo=True)
    assert [choice.text for choice in answer.choices] == ["OneHello there."] * 2 + ["TwoHello there."] * 2
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 6
    assert "".join(chunk.choices[0].text for chunk in chunks) == "Hello there."
    assert from_tokens.choices[0].text == "OneHello there."


def test_logprobs_zero_returns_only_the_sampled_token(endpoint: Live) -> None:
    answer = endpoint.post({"prompt": "Once", "logprobs": 0, "max_tokens": 2}, "/v1/completions").json()
    scores = answer["choices"][0]["logprobs"]
    chosen = zip(scores["tokens"], scores["token_logprobs"], strict=True)
    assert scores["top_logprobs"] == [{token: score} for token, score in chosen]


def test_completion_without_max_tokens_has_16_tokens(endpoint: Live) -> None:
    endpoint.script.answer = b"x" * 100
    for fields, n in (({}, 16), ({"max_tokens": None}, 16), ({"max_tokens": -1}, 101), ({"max_tokens": 40}, 40)):
        answer = endpoint.post({"prompt": "Once", **fields}, "/v1/completions").json()
        assert answer["usage"]["completion_tokens"] == n


def test_echo_with_logprobs_returns_logprob_of_every_token_but_the_first(endpoint: Live) -> None:
    answer = endpoint.post(
        {"prompt": [79, 110, 101], "echo": True, "logprobs": 1, "max_tokens": 1}, "/v1/completions"
    ).json()
    scores = answer["choices"][0]["logprobs"]
    assert scores["tokens"] == ["O", "n", "e", "H"]
    assert scores["token_logprobs"][0] is None
    assert all(score < 0 for score in scores["token_logprobs"][1:])
    chosen = zip(scores["tokens"], scores["token_logprobs"], scores["top_logprobs"], strict=True)
    for token, score, top in list(chosen)[1:]:
        assert len(top) <= 2
        assert top[token] == score


def test_suffix_makes_the_prompt_a_fill_in_the_middle_prompt() -> None:
    with live(FakeOpener(Script(answer=None))) as endpoint:
        requests_of = {"prompt": "def f(", "suffix": "return 1", "max_tokens": 4}
        answer = endpoint.post(requests_of, "/v1/completions").json()
        assert answer["usage"]["prompt_tokens"] == len("<PRE>def f(<SUF>return 1<MID>")


def test_prompt_token_outside_the_vocabulary_is_400(endpoint: Live) -> None:
    with endpoint.openai() as client, pytest.raises(openai.BadRequestError):
        client.completions.create(model="x", prompt=[99999])


def test_batch_that_contains_overlong_prompts_is_400(endpoint: Live) -> None:
    for stream in (False, True):
        answer = endpoint.post({"prompt": ["x" * 5000, "y" * 5000], "stream": stream}, "/v1/completions")
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "context_length_exceeded"
