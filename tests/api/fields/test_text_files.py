"""Text files, encoded in base64 within messages, in every dialect that allows them."""

from __future__ import annotations

import base64
import json

import pytest

from api.anthropic.request import messages_request
from api.anthropic.schemas import MessagesBody
from api.errors import UnsupportedParameter
from api.fields.content import text_of_file
from api.openai.chat.request import chat_request
from api.openai.chat.schemas import ChatCompletionBody
from api.openai.responses.request import parse_messages
from engine.requests import Message

NOTE = "Grüße\n1 < 2"


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def data_url(data: bytes, media_type: str = "text/plain") -> str:
    return f"data:{media_type};base64,{in_base64(data)}"


def test_text_file_in_a_chat_completion_is_read() -> None:
    part = {"type": "file", "file": {"filename": "note.txt", "file_data": data_url(NOTE.encode())}}
    body = {"messages": [{"role": "user", "content": [part, {"type": "text", "text": "Translate."}]}]}
    request = chat_request(ChatCompletionBody.model_validate_json(json.dumps(body)), "1")
    assert request.messages == (Message("user", f"note.txt\n{NOTE}\nTranslate."),)


def test_text_file_in_responses_input_and_in_tool_result_is_read() -> None:
    part: dict[str, object] = {"type": "input_file", "file_data": data_url(NOTE.encode(), "text/csv; charset=utf-8")}
    messages = parse_messages(
        [
            {"role": "user", "content": [part]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [part]},
        ]
    )
    assert messages[0] == Message("user", NOTE)
    assert messages[2].content == NOTE


def test_text_file_in_an_anthropic_message_is_read() -> None:
    source = {"type": "base64", "media_type": "text/markdown", "data": in_base64(NOTE.encode())}
    document = {"type": "document", "title": "Note", "source": source}
    body = {"max_tokens": 5, "messages": [{"role": "user", "content": [document]}]}
    request = messages_request(MessagesBody.model_validate_json(json.dumps(body)), "1")
    assert request.messages == (Message("user", f"Note\n{NOTE}"),)


@pytest.mark.parametrize("media_type", ["", "application/json", "application/octet-stream", "TEXT/X-PYTHON"])
def test_file_with_any_text_media_type_is_read(media_type: str) -> None:
    assert text_of_file(in_base64(b"\xef\xbb\xbf{}"), media_type, "p") == "{}"


@pytest.mark.parametrize(
    "data",
    [
        data_url(b"%PDF-1.7 ...", "application/pdf"),
        data_url(b"%PDF-1.7 ...", ""),
        data_url(b"\x89PNG", "image/png"),
        data_url(b"\xff\xfe\x00", "text/plain"),
        data_url(b"a\0b", "text/plain"),
        "data:text/plain;base64,!!!",
        "https://example.org/note.txt",
    ],
)
def test_file_that_is_not_text_is_refused(data: str) -> None:
    with pytest.raises(UnsupportedParameter) as refused:
        text_of_file(data, "", "messages[0].content[0]")
    assert refused.value.param == "messages[0].content[0]"
