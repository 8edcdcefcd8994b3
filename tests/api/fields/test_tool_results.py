"""Tool results that hold more than text, and documents, in every dialect."""

from __future__ import annotations

import pytest

from api.anthropic.request import messages_request
from api.anthropic.schemas import MessagesBody
from api.errors import BadRequest, UnsupportedParameter
from api.ollama.request import parse_messages as ollama_messages
from api.ollama.schemas import OllamaMessage
from api.openai.chat.request import parse_message
from api.openai.chat.schemas import ChatMessage
from api.openai.responses.request import parse_items
from api.openai.responses.request import parse_messages as response_messages
from engine.requests import Message

NOTE = "[An image was left out: only text is read here.]"


def claude(*blocks: object, role: str = "user") -> tuple[Message, ...]:
    said = {"role": role, "content": list(blocks)}
    body = MessagesBody.model_validate({"max_tokens": 9, "messages": [said]})
    return messages_request(body, "1").messages


def test_an_image_in_a_result_becomes_a_note_for_openais_clients() -> None:
    parts = [{"type": "text", "text": "Seen."}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    said = ChatMessage(role="tool", tool_call_id="a", content=parts)
    assert parse_message(said, "m") == Message("tool", f"Seen.\n{NOTE}", tool_call_id="a")
    with pytest.raises(UnsupportedParameter):
        parse_message(ChatMessage(role="user", content=parts), "m")


def test_an_image_in_a_result_becomes_a_note_in_responses() -> None:
    for kind in ("function_call_output", "custom_tool_call_output"):
        parts = [{"type": "input_text", "text": "Seen."}, {"type": "input_image", "image_url": "data:,"}]
        items = parse_items([{"type": kind, "call_id": "a", "output": parts}])
        assert response_messages(items) == [Message("tool", f"Seen.\n{NOTE}", tool_call_id="a")]
    file = parse_items([{"type": "function_call_output", "call_id": "a", "output": [{"type": "input_file"}]}])
    assert "input_file" in response_messages(file)[0].content


def test_an_image_in_a_result_becomes_a_note_for_anthropics_clients() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "Seen."}, image]}
    assert claude(result) == (Message("tool", f"Seen.\n{NOTE}", tool_call_id="a"),)
    assert claude({**result, "content": [image]}) == (Message("tool", NOTE, tool_call_id="a"),)
    assert claude({"type": "tool_result", "tool_use_id": "a"}) == (Message("tool", "", tool_call_id="a"),)
    with pytest.raises(UnsupportedParameter):
        claude(image)
    with pytest.raises(BadRequest):
        claude({**result, "content": [{"type": "text"}]})


def test_an_image_in_a_result_becomes_a_note_for_ollamas_clients() -> None:
    assert ollama_messages([OllamaMessage(role="tool", content="Seen.", images=["AA"])])[0].content == f"Seen.\n{NOTE}"
    with pytest.raises(UnsupportedParameter):
        ollama_messages([OllamaMessage(role="user", content="Look.", images=["AA"])])


def test_a_document_of_plain_text_is_text() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "Sow in March."}
    document = {"type": "document", "source": source, "title": "Peas", "context": "A note.", "citations": None}
    assert claude(document)[0].content == "Peas\nA note.\nSow in March."
    assert claude({"type": "document", "source": source})[0].content == "Sow in March."
    blocks = {"type": "content", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}
    assert claude({"type": "document", "source": blocks})[0].content == "One.\nTwo."
    assert claude({"type": "document", "source": {"type": "content", "content": "One."}})[0].content == "One."
    result = {"type": "tool_result", "tool_use_id": "a", "content": [document]}
    assert claude(result)[0].content == "Peas\nA note.\nSow in March."
    found = {
        "type": "search_result",
        "source": "x.txt",
        "title": "Peas",
        "content": [{"type": "text", "text": "March."}],
    }
    assert claude(found)[0].content == "Peas\nx.txt\nMarch."


def test_a_document_that_is_no_text_is_refused_as_a_question_and_noted_in_a_result() -> None:
    document = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}}
    with pytest.raises(UnsupportedParameter):
        claude(document)
    result = claude({"type": "tool_result", "tool_use_id": "a", "content": [document]})
    assert result[0].content == "[Content of the type document was left out: only text is read here.]"
