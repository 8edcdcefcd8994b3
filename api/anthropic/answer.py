"""Translates the engine's events to answers of Anthropic's messages API. Does no I/O; the caller passes the ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.answer import Answer, arguments_of, error_of
from api.error_bodies import anthropic_body, problem_of
from api.streaming import event_frame
from engine.events import (
    Event,
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)

Block = dict[str, object]

STOP_REASONS: Mapping[FinishReason, str] = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


@dataclass(frozen=True, slots=True)
class MessageMeta:
    id: str
    model: str
    manages_context: bool = False
    """True if the request has `context_management`. The edits in that field are not applied to the prompt, and the
    answer states that."""

    @property
    def edits(self) -> Block:
        return {"context_management": {"applied_edits": []}} if self.manages_context else {}


def message(meta: MessageMeta, answer: Answer) -> dict[str, object]:
    """Returns the body of an answer that is not streamed."""
    content: list[Block] = []
    if answer.reasoning:
        content.append({"type": "thinking", "thinking": answer.reasoning, "signature": ""})
    if answer.text or not answer.calls:
        content.append({"type": "text", "text": answer.text})
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_of(call)} for call in answer.calls
    ]
    return {**_message(meta, content, _usage(answer.finished.usage), _stop_fields(answer.finished)), **meta.edits}


def _stop_fields(finished: Finished) -> dict[str, object]:
    """Returns the fields with the reason why the answer ended."""
    if finished.reason == "stop" and finished.stop_string is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": finished.stop_string}
    return {"stop_reason": STOP_REASONS[finished.reason], "stop_sequence": None}


NOT_STOPPED: dict[str, object] = {"stop_reason": None, "stop_sequence": None}


def _message(
    meta: MessageMeta, content: list[Block], usage: dict[str, object], stopped: dict[str, object]
) -> dict[str, object]:
    return {
        "id": meta.id,
        "type": "message",
        "role": "assistant",
        "model": meta.model,
        "content": content,
        **stopped,
        "usage": usage,
    }


def _usage(counts: Usage) -> dict[str, object]:
    """Returns the token counts. `input_tokens` excludes cached tokens."""
    return {
        "input_tokens": counts.n_prompt - counts.n_cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": counts.n_cached,
        "output_tokens": counts.n_output,
    }


class MessageWriter:
    """An EventWriter for Anthropic's stream events. At most one content block is open at a time."""

    def __init__(self, meta: MessageMeta) -> None:
        self._meta = meta
        self._index = -1
        self._open: str | None = None

    def frames(self, index: int, event: Event) -> bytes:
        match event:
            case PromptProgress():
                return b""
            case Started(n_prompt=n_prompt, n_cached=n_cached):
                opened = _message(self._meta, [], _usage(Usage(n_prompt, n_cached, 0)), NOT_STOPPED)
                return event_frame("message_start", {"type": "message_start", "message": opened})
            case TextDelta(text=text):
                return self._block("text", {"type": "text", "text": ""}) + self._delta("text_delta", "text", text)
            case ReasoningDelta(text=text):
                block: Block = {"type": "thinking", "thinking": "", "signature": ""}
                return self._block("thinking", block) + self._delta("thinking_delta", "thinking", text)
            case ToolCallStarted(index=call_index, id=id, name=name):
                return self._block(f"call {call_index}", {"type": "tool_use", "id": id, "name": name, "input": {}})
            case ToolCallDelta(arguments=arguments):
                return self._delta("input_json_delta", "partial_json", arguments)
            case Failed() | Finished(reason="cancelled"):
                return self._error(error_of(event))
            case Finished():
                return self._end(event)

    def _block(self, kind: str, block: Block) -> bytes:
        """Ensures that a block of this kind is open. Closes an open block of another kind first."""
        if self._open == kind:
            return b""
        closed = self._close()
        self._open, self._index = kind, self._index + 1
        return closed + event_frame(
            "content_block_start", {"type": "content_block_start", "index": self._index, "content_block": block}
        )

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        ends = b""
        if self._open == "thinking":
            ends = self._delta("signature_delta", "signature", "")
        self._open = None
        return ends + event_frame("content_block_stop", {"type": "content_block_stop", "index": self._index})

    def _delta(self, kind: str, name: str, value: str) -> bytes:
        delta = {"type": kind, name: value}
        return event_frame("content_block_delta", {"type": "content_block_delta", "index": self._index, "delta": delta})

    def _end(self, finished: Finished) -> bytes:
        # An empty answer gets one empty block.
        opened = self._block("text", {"type": "text", "text": ""}) if self._index < 0 else b""
        delta = _stop_fields(finished)
        usage = {"output_tokens": finished.usage.n_output}
        message_delta = {"type": "message_delta", "delta": delta, "usage": usage, **self._meta.edits}
        return (
            opened
            + self._close()
            + event_frame("message_delta", message_delta)
            + event_frame("message_stop", {"type": "message_stop"})
        )

    def _error(self, error: Exception) -> bytes:
        return event_frame("error", anthropic_body(problem_of(error), self._meta.id.replace("msg_", "req_")))
