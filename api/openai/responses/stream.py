"""A streamed response: every event has its number, every item its place. Pure."""

from __future__ import annotations

from collections.abc import Callable

from api.errors import RequestStopped, problem_of
from api.fields import logprobs
from api.openai.responses.answer import (
    ResponsesMeta,
    call_item,
    message_item,
    reasoning_item,
    reasoning_part,
    response_object,
    status_of,
    text_part,
    timings_object,
    usage_object,
)
from api.openai.responses.items import Item
from api.streaming import event_frame
from engine.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenChoice,
    ToolCallDelta,
    ToolCallStarted,
)
from engine.requests import ToolCall


class _OpenItem:
    """The item that grows just now."""

    def __init__(self, kind: str, place: int, id: str, call: ToolCallStarted | None = None) -> None:
        self.kind = kind
        self.place = place
        self.id = id
        self.call = call
        self.parts: list[str] = []
        self.choices: list[TokenChoice] = []

    @property
    def text(self) -> str:
        return "".join(self.parts)


class ResponsesEventWriter:
    """Events of one answer, one by one. `on_done` gets the whole response, unless it failed."""

    def __init__(self, head: ResponsesMeta, on_done: Callable[[Item], None]) -> None:
        self._head = head
        self._on_done = on_done
        self._n_events = 0
        self._n_reasoning = 0
        self._output: list[Item] = []
        self._open: _OpenItem | None = None

    def frames(self, place: int, event: Event) -> bytes:
        match event:
            case Started():
                opened = response_object(self._head, "in_progress")
                return self._event("response.created", response=opened) + self._event(
                    "response.in_progress", response=opened
                )
            case TextDelta():
                return self._text(event)
            case ReasoningDelta():
                return self._thought(event)
            case ToolCallStarted():
                return self._close("completed") + self._open_call(event)
            case ToolCallDelta(arguments=arguments):
                return self._delta("response.function_call_arguments.delta", arguments)
            case Finished(reason="cancelled"):
                return self._failed(RequestStopped())
            case Finished():
                return self._end(event)
            case Failed(error=error):
                return self._failed(error)

    # What grows

    def _text(self, event: TextDelta) -> bytes:
        opened = b""
        if self._open is None or self._open.kind != "msg":
            opened = self._close("completed") + self._open_message()
        assert self._open is not None
        self._open.choices += event.choices
        return opened + self._delta(
            "response.output_text.delta", event.text, content_index=0, logprobs=logprobs.content(event.choices)
        )

    def _thought(self, event: ReasoningDelta) -> bytes:
        self._n_reasoning += event.n_tokens
        opened = b""
        if self._open is None or self._open.kind != "rs":
            opened = self._close("completed")
            item = self._begin("rs")
            opened += self._added(item, reasoning_item(self._head, item.place, "in_progress", None), reasoning_part(""))
        return opened + self._delta("response.reasoning_text.delta", event.text, content_index=0)

    def _open_message(self) -> bytes:
        item = self._begin("msg")
        return self._added(item, message_item(self._head, item.place, "in_progress", None), text_part(""))

    def _open_call(self, event: ToolCallStarted) -> bytes:
        item = self._begin("fc", event)
        shown = call_item(self._head, item.place, "in_progress", ToolCall(event.id, event.name, ""))
        return self._added(item, shown, None)

    def _begin(self, kind: str, call: ToolCallStarted | None = None) -> _OpenItem:
        place = len(self._output)
        self._open = _OpenItem(kind, place, self._head.item_id(kind, place), call)
        return self._open

    def _added(self, item: _OpenItem, shown: Item, part: Item | None) -> bytes:
        added = self._event("response.output_item.added", output_index=item.place, item=shown)
        if part is None:
            return added
        return added + self._event("response.content_part.added", **self._at(item), content_index=0, part=part)

    def _delta(self, name: str, text: str, /, **beside: object) -> bytes:
        item = self._open
        assert item is not None
        item.parts.append(text)
        return self._event(name, **self._at(item), delta=text, **beside)

    # What is done

    def _close(self, status: str) -> bytes:
        """Ends the item that grows, if there is one."""
        item, self._open = self._open, None
        if item is None:
            return b""
        at, text = self._at(item), item.text
        if item.call is not None:
            shown = call_item(self._head, item.place, status, ToolCall(item.call.id, item.call.name, text))
            done = self._event(
                "response.function_call_arguments.done", **at, **self._head.called(item.call.name), arguments=text
            )
        elif item.kind == "rs":
            shown = reasoning_item(self._head, item.place, status, text)
            done = self._event("response.reasoning_text.done", **at, content_index=0, text=text)
            done += self._event("response.content_part.done", **at, content_index=0, part=reasoning_part(text))
        else:
            shown = message_item(self._head, item.place, status, text, item.choices)
            scores = logprobs.content(item.choices)
            done = self._event("response.output_text.done", **at, content_index=0, text=text, logprobs=scores)
            part = text_part(text, item.choices)
            done += self._event("response.content_part.done", **at, content_index=0, part=part)
        self._output.append(shown)
        return done + self._event("response.output_item.done", output_index=item.place, item=shown)

    def _end(self, finished: Finished) -> bytes:
        status = status_of(finished)
        opened = self._open_message() if self._open is None and not self._output else b""  # it said nothing
        closed = self._close(status)
        usage, measured = usage_object(finished, self._n_reasoning), timings_object(finished)
        whole = response_object(self._head, status, self._output, usage, measured=measured)
        self._on_done(whole)
        return opened + closed + self._event(f"response.{status}", response=whole)

    def _failed(self, error: Exception) -> bytes:
        failed = response_object(self._head, "failed", self._output, error=problem_of(error))
        return self._event("response.failed", response=failed)

    def _at(self, item: _OpenItem) -> Item:
        return {"item_id": item.id, "output_index": item.place}

    def _event(self, name: str, /, **fields: object) -> bytes:
        number, self._n_events = self._n_events, self._n_events + 1
        return event_frame(name, {"type": name, "sequence_number": number, **fields})
