"""langchain-openai, from PyPI."""

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
def chat(served: RealEndpoint, monkeypatch: pytest.MonkeyPatch) -> ChatOpenAI:
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    from langchain_openai import ChatOpenAI

    return _chat(ChatOpenAI, served.url, served.key)


def _chat(kind: type[ChatOpenAI], url: str, key: str) -> ChatOpenAI:
    return kind(model="gpt-4o", base_url=url, api_key=SecretStr(key), temperature=0, max_retries=0, timeout=60)


def test_chat_whole_and_streamed_say_the_same(chat: ChatOpenAI) -> None:
    whole = chat.bind(max_tokens=7).invoke(QUESTION)
    assert whole.text
    assert whole.usage_metadata is not None
    streamed = [chunk.text for chunk in chat.bind(max_tokens=7).stream(QUESTION)]
    assert len(streamed) > 3
    assert "".join(streamed) == whole.text


def test_a_tool_is_called_whole_and_streamed(chat: ChatOpenAI) -> None:
    asked = chat.bind_tools([Paint], tool_choice="any", parallel_tool_calls=False).bind(max_tokens=60)
    whole = asked.invoke(QUESTION)
    chunks = list(asked.stream(QUESTION))
    streamed: Any = chunks[0]
    for chunk in chunks[1:]:
        streamed = streamed + chunk
    for answer in (whole, streamed):
        assert [call["name"] for call in answer.tool_calls] == ["Paint"]
        assert answer.tool_calls[0]["args"]["colour"] in ("red", "blue")


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_a_structured_answer_is_parsed(chat: ChatOpenAI, method: Any) -> None:
    assert isinstance(chat.with_structured_output(Paint, method=method).invoke(QUESTION), Paint)


def test_embeddings_of_texts_and_the_word_on_token_numbers(served: RealEndpoint) -> None:
    from langchain_openai import OpenAIEmbeddings
    from openai import BadRequestError

    asked: Any = {"model": "x", "base_url": served.url, "api_key": SecretStr(served.key), "max_retries": 0}
    texts = OpenAIEmbeddings(check_embedding_ctx_length=False, **asked)
    assert len(texts.embed_documents(["sea", "ship"])) == 2
    # What LangChain sends otherwise: the numbers of tiktoken, which it fetches from elsewhere.
    with pytest.raises(BadRequestError, match=r"check_embedding_ctx_length=False"):
        texts.client.create(model="x", input=[[9000, 1]])


def test_an_abort_frees_the_slot(served: RealEndpoint, chat: ChatOpenAI) -> None:
    stream: Any = chat.bind(temperature=0).stream(ENDLESS)
    for _, _chunk in zip(range(3), stream, strict=False):
        pass
    stream.close()
    served.was_freed()


def test_errors_are_the_clients_own(served: RealEndpoint, chat: ChatOpenAI) -> None:
    from langchain_core.exceptions import ContextOverflowError
    from openai import AuthenticationError

    with pytest.raises(ContextOverflowError, match="maximum context length is"):
        chat.invoke(TOO_LONG)
    with pytest.raises(AuthenticationError):
        _chat(type(chat), served.url, "wrong").invoke(QUESTION)
