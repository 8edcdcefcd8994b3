"""The Python client `langchain-openai`, unmodified, with the endpoint and the real model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel, SecretStr

from tests.clients.real_endpoint import ENDLESS, QUESTION, TOO_LONG, RealEndpoint

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI


class Paint(BaseModel):
    """Paints."""

    colour: Literal["red", "blue"]


@pytest.fixture
def chat(endpoint: RealEndpoint, monkeypatch: pytest.MonkeyPatch) -> ChatOpenAI:
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    from langchain_openai import ChatOpenAI

    return _chat(ChatOpenAI, endpoint.url, endpoint.key)


def _chat(kind: type[ChatOpenAI], url: str, key: str) -> ChatOpenAI:
    return kind(model="gpt-4o", base_url=url, api_key=SecretStr(key), temperature=0, max_retries=0, timeout=60)


def test_whole_and_streamed_answers_are_equal(chat: ChatOpenAI) -> None:
    whole = chat.bind(max_tokens=7).invoke(QUESTION)
    assert whole.text
    assert whole.usage_metadata is not None
    streamed = [chunk.text for chunk in chat.bind(max_tokens=7).stream(QUESTION)]
    assert len(streamed) > 3
    assert "".join(streamed) == whole.text


def test_tool_call_is_returned_whole_and_streamed(chat: ChatOpenAI) -> None:
    body = chat.bind_tools([Paint], tool_choice="any", parallel_tool_calls=False).bind(max_tokens=60)
    whole = body.invoke(QUESTION)
    chunks = list(body.stream(QUESTION))
    streamed: Any = chunks[0]
    for chunk in chunks[1:]:
        streamed = streamed + chunk
    for answer in (whole, streamed):
        assert [call["name"] for call in answer.tool_calls] == ["Paint"]
        assert answer.tool_calls[0]["args"]["colour"] in ("red", "blue")


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_structured_answer_is_parsed(chat: ChatOpenAI, method: Any) -> None:
    assert isinstance(chat.with_structured_output(Paint, method=method).invoke(QUESTION), Paint)


def test_texts_are_embedded_and_token_input_is_refused(endpoint: RealEndpoint) -> None:
    from langchain_openai import OpenAIEmbeddings
    from openai import BadRequestError

    body: Any = {"model": "x", "base_url": endpoint.url, "api_key": SecretStr(endpoint.key), "max_retries": 0}
    texts = OpenAIEmbeddings(check_embedding_ctx_length=False, **body)
    assert len(texts.embed_documents(["sea", "ship"])) == 2
    # If check_embedding_ctx_length is not False, LangChain downloads tiktoken's vocabulary, and sends token ids of that
    # vocabulary.
    with pytest.raises(BadRequestError, match=r"check_embedding_ctx_length=False"):
        texts.client.create(model="x", input=[[9000, 1]])


def test_aborted_stream_frees_slot(endpoint: RealEndpoint, chat: ChatOpenAI) -> None:
    stream: Any = chat.bind(temperature=0).stream(ENDLESS)
    for _, _chunk in zip(range(3), stream, strict=False):
        pass
    stream.close()
    endpoint.assert_last_was_cancelled()


def test_endpoint_errors_raise_the_exceptions_of_the_client(endpoint: RealEndpoint, chat: ChatOpenAI) -> None:
    from langchain_core.exceptions import ContextOverflowError
    from openai import AuthenticationError

    with pytest.raises(ContextOverflowError, match="maximum context length is"):
        chat.invoke(TOO_LONG)
    with pytest.raises(AuthenticationError):
        _chat(type(chat), endpoint.url, "wrong").invoke(QUESTION)
