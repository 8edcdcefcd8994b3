"""Images in tool results, and documents in messages and tool results, in every dialect."""

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


def anthropic_messages(*blocks: object, role: str = "user") -> tuple[Message, ...]:
    messages = {"role": role, "content": list(blocks)}
    body = MessagesBody.model_validate({"max_tokens": 9, "messages": [messages]})
    return messages_request(body, "1").messages


def test_image_in_tool_result_becomes_note_in_chat_completions() -> None:
    parts = [{"type": "text", "text": "Seen."}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    messages = ChatMessage(role="tool", tool_call_id="a", content=parts)
    assert parse_message(messages, "m") == Message("tool", f"Seen.\n{NOTE}", tool_call_id="a")
    with pytest.raises(UnsupportedParameter):
        parse_message(ChatMessage(role="user", content=parts), "m")


def test_image_in_tool_result_becomes_note_in_responses() -> None:
    for kind in ("function_call_output", "custom_tool_call_output"):
        parts = [{"type": "input_text", "text": "Seen."}, {"type": "input_image", "image_url": "data:,"}]
        items = parse_items([{"type": kind, "call_id": "a", "output": parts}])
        assert response_messages(items) == [Message("tool", f"Seen.\n{NOTE}", tool_call_id="a")]
    file = parse_items([{"type": "function_call_output", "call_id": "a", "output": [{"type": "input_file"}]}])
    assert "input_file" in response_messages(file)[0].content


def test_image_in_tool_result_becomes_note_in_anthropic_messages() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "Seen."}, image]}
    assert anthropic_messages(result) == (Message("tool", f"Seen.\n{NOTE}", tool_call_id="a"),)
    assert anthropic_messages({**result, "content": [image]}) == (Message("tool", NOTE, tool_call_id="a"),)
    assert anthropic_messages({"type": "tool_result", "tool_use_id": "a"}) == (Message("tool", "", tool_call_id="a"),)
    with pytest.raises(UnsupportedParameter):
        anthropic_messages(image)
    with pytest.raises(BadRequest):
        anthropic_messages({**result, "content": [{"type": "text"}]})


def test_image_in_tool_result_becomes_note_in_ollama_chat() -> None:
    assert ollama_messages([OllamaMessage(role="tool", content="Seen.", images=["AA"])])[0].content == f"Seen.\n{NOTE}"
    with pytest.raises(UnsupportedParameter):
        ollama_messages([OllamaMessage(role="user", content="Look.", images=["AA"])])


def test_text_of_anthropic_document_is_read() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "Sow in March."}
    document = {"type": "document", "source": source, "title": "Peas", "context": "A note.", "citations": None}
    assert anthropic_messages(document)[0].content == "Peas\nA note.\nSow in March."
    assert anthropic_messages({"type": "document", "source": source})[0].content == "Sow in March."
    blocks = {"type": "content", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}
    assert anthropic_messages({"type": "document", "source": blocks})[0].content == "One.\nTwo."
    assert (
        anthropic_messages({"type": "document", "source": {"type": "content", "content": "One."}})[0].content == "One."
    )
    result = {"type": "tool_result", "tool_use_id": "a", "content": [document]}
    assert anthropic_messages(result)[0].content == "Peas\nA note.\nSow in March."
    found = {
        "type": "search_result",
        "source": "x.txt",
        "title": "Peas",
        "content": [{"type": "text", "text": "March."}],
    }
    assert anthropic_messages(found)[0].content == "Peas\nx.txt\nMarch."


def test_pdf_document_is_refused_in_message_and_becomes_note_in_tool_result() -> None:
    document = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}}
    with pytest.raises(UnsupportedParameter):
        anthropic_messages(document)
    result = anthropic_messages({"type": "tool_result", "tool_use_id": "a", "content": [document]})
    assert result[0].content == "[Content of the type document was left out: only text is read here.]"
