"""Translates the engine's events to the responses API's objects and events. Does no I/O; the caller passes ids and
time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.answer import Answer, error_of
from api.error_bodies import Problem, problem_of
from api.fields import logprobs
from api.fields.usage import timings
from api.openai.responses.request import Item, function_tools, namespaces
from api.openai.responses.schemas import ResponsesBody
from api.streaming import event_frame
from engine.events import (
    Event,
    Failed,
    Finished,
    PromptProgress,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenChoice,
    ToolCallDelta,
    ToolCallStarted,
)
from engine.requests import ChatRequest, ToolCall


@dataclass(frozen=True, slots=True)
class ResponsesMeta:
    """Metadata that every object of one response repeats. All ids in the response contain `key`; `created_at` is Unix
    time."""

    key: str
    created_at: int
    model: str
    body: ResponsesBody
    request: ChatRequest
    stores: bool = True
    """True if the response will be stored."""

    @property
    def id(self) -> str:
        return f"resp_{self.key}"

    def function_name(self, flat_name: str) -> Item:
        """Returns the name of a called function as the client knows it, and its namespace if it has one."""
        namespace, name = namespaces(self.body).get(flat_name, (None, flat_name))
        return {"name": name} if namespace is None else {"name": name, "namespace": namespace}

    def item_id(self, kind: str, index: int) -> str:
        return f"{kind}_{self.key}_{index}"


def response_object(
    meta: ResponsesMeta,
    status: str,
    output: Sequence[Item] = (),
    usage: Item | None = None,
    error: Problem | None = None,
    measured: Item | None = None,
) -> Item:
    body, request = meta.body, meta.request
    format = body.text.format if body.text else None
    return {
        "id": meta.id,
        "object": "response",
        "created_at": meta.created_at,
        "status": status,
        "background": False,
        "error": None if error is None else {"code": "server_error", "message": error.message},
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "model": meta.model,
        "output": list(output),
        "parallel_tool_calls": request.parallel_tool_calls,
        "previous_response_id": body.previous_response_id,
        "reasoning": {"effort": body.reasoning.effort if body.reasoning else None, "summary": None},
        "store": meta.stores,
        "temperature": request.sampling.temperature,
        "text": {"format": format.model_dump(by_alias=True, exclude_none=True) if format else {"type": "text"}},
        "tool_choice": body.tool_choice or "auto",
        "tools": function_tools(body),
        "top_p": request.sampling.top_p,
        "truncation": "disabled",
        "usage": usage,
        "metadata": body.metadata or {},
        **({"timings": measured} if measured else {}),
    }


def whole_response(meta: ResponsesMeta, answer: Answer) -> Item:
    """Returns the body of an answer that is not streamed."""
    status = status_of(answer.finished)
    output: list[Item] = []
    if answer.reasoning:
        output.append(reasoning_item(meta, len(output), "completed", answer.reasoning))
    if answer.text or not answer.calls:
        output.append(message_item(meta, len(output), status, answer.text, answer.choices))
    for call in answer.calls:
        output.append(call_item(meta, len(output), "completed", call))
    finished = answer.finished
    usage, measured = usage_object(finished, answer.n_reasoning), timings_object(finished)
    return response_object(meta, status, output, usage, measured=measured)


def status_of(finished: Finished) -> str:
    return "incomplete" if finished.reason == "length" else "completed"


def usage_object(finished: Finished, n_reasoning: int) -> Item:
    counts = finished.usage
    return {
        "input_tokens": counts.n_prompt,
        "input_tokens_details": {"cached_tokens": counts.n_cached, "cache_write_tokens": 0},
        "output_tokens": counts.n_output,
        "output_tokens_details": {"reasoning_tokens": n_reasoning},
        "total_tokens": counts.n_prompt + counts.n_output,
    }


def timings_object(finished: Finished) -> Item:
    return dict(timings(finished.usage, finished.timings))


def text_part(text: str, choices: Sequence[TokenChoice] = ()) -> Item:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs.content(choices)}


def reasoning_part(text: str) -> Item:
    return {"type": "reasoning_text", "text": text}


def message_item(
    meta: ResponsesMeta, index: int, status: str, text: str | None, choices: Sequence[TokenChoice] = ()
) -> Item:
    """Returns a message as an output item. With `text` None, the message is still empty, because its stream has just
    begun."""
    return {
        "id": meta.item_id("msg", index),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [] if text is None else [text_part(text, choices)],
    }


def reasoning_item(meta: ResponsesMeta, index: int, status: str, text: str | None) -> Item:
    return {
        "id": meta.item_id("rs", index),
        "type": "reasoning",
        "status": status,
        "summary": [],
        "content": [] if text is None else [reasoning_part(text)],
    }


def call_item(meta: ResponsesMeta, index: int, status: str, call: ToolCall) -> Item:
    return {
        "id": meta.item_id("fc", index),
        "type": "function_call",
        "status": status,
        "call_id": call.id,
        **meta.function_name(call.name),
        "arguments": call.arguments,
    }


class _OpenItem:
    """The output item that is being streamed."""

    def __init__(self, kind: str, index: int, id: str, call: ToolCallStarted | None = None) -> None:
        self.kind = kind
        self.index = index
        self.id = id
        self.call = call
        self.parts: list[str] = []
        self.choices: list[TokenChoice] = []

    @property
    def text(self) -> str:
        return "".join(self.parts)


class ResponsesEventWriter:
    """An EventWriter for the responses API's events. `on_done` is called with the whole response unless the request
    fails."""

    def __init__(self, meta: ResponsesMeta, on_done: Callable[[Item], None]) -> None:
        self._meta = meta
        self._on_done = on_done
        self._n_events = 0
        self._n_reasoning = 0
        self._output: list[Item] = []
        self._open: _OpenItem | None = None

    def frames(self, index: int, event: Event) -> bytes:
        match event:
            case PromptProgress():
                return b""
            case Started():
                opened = response_object(self._meta, "in_progress")
                return self._event("response.created", response=opened) + self._event(
                    "response.in_progress", response=opened
                )
            case TextDelta():
                return self._text(event)
            case ReasoningDelta():
                return self._reasoning(event)
            case ToolCallStarted():
                return self._close("completed") + self._open_call(event)
            case ToolCallDelta(arguments=arguments):
                return self._delta("response.function_call_arguments.delta", arguments)
            case Failed() | Finished(reason="cancelled"):
                return self._failed(error_of(event))
            case Finished():
                return self._end(event)

    def _text(self, event: TextDelta) -> bytes:
        opened = b""
        if self._open is None or self._open.kind != "msg":
            opened = self._close("completed") + self._open_message()
        assert self._open is not None
        self._open.choices += event.choices
        return opened + self._delta(
            "response.output_text.delta", event.text, content_index=0, logprobs=logprobs.content(event.choices)
        )

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        self._n_reasoning += event.n_tokens
        opened = b""
        if self._open is None or self._open.kind != "rs":
            opened = self._close("completed")
            item = self._begin("rs")
            opened += self._added(item, reasoning_item(self._meta, item.index, "in_progress", None), reasoning_part(""))
        return opened + self._delta("response.reasoning_text.delta", event.text, content_index=0)

    def _open_message(self) -> bytes:
        item = self._begin("msg")
        return self._added(item, message_item(self._meta, item.index, "in_progress", None), text_part(""))

    def _open_call(self, event: ToolCallStarted) -> bytes:
        item = self._begin("fc", event)
        item_object = call_item(self._meta, item.index, "in_progress", ToolCall(event.id, event.name, ""))
        return self._added(item, item_object, None)

    def _begin(self, kind: str, call: ToolCallStarted | None = None) -> _OpenItem:
        index = len(self._output)
        self._open = _OpenItem(kind, index, self._meta.item_id(kind, index), call)
        return self._open

    def _added(self, item: _OpenItem, item_object: Item, part: Item | None) -> bytes:
        added = self._event("response.output_item.added", output_index=item.index, item=item_object)
        if part is None:
            return added
        return added + self._event("response.content_part.added", **self._location(item), content_index=0, part=part)

    def _delta(self, name: str, text: str, /, **fields: object) -> bytes:
        item = self._open
        assert item is not None
        item.parts.append(text)
        return self._event(name, **self._location(item), delta=text, **fields)

    def _close(self, status: str) -> bytes:
        """Closes the open item, if there is one, with the events that complete it."""
        item, self._open = self._open, None
        if item is None:
            return b""
        location, text = self._location(item), item.text
        if item.call is not None:
            item_object = call_item(self._meta, item.index, status, ToolCall(item.call.id, item.call.name, text))
            done = self._event(
                "response.function_call_arguments.done",
                **location,
                **self._meta.function_name(item.call.name),
                arguments=text,
            )
        elif item.kind == "rs":
            item_object = reasoning_item(self._meta, item.index, status, text)
            done = self._event("response.reasoning_text.done", **location, content_index=0, text=text)
            done += self._event("response.content_part.done", **location, content_index=0, part=reasoning_part(text))
        else:
            item_object = message_item(self._meta, item.index, status, text, item.choices)
            token_logprobs = logprobs.content(item.choices)
            done = self._event(
                "response.output_text.done", **location, content_index=0, text=text, logprobs=token_logprobs
            )
            part = text_part(text, item.choices)
            done += self._event("response.content_part.done", **location, content_index=0, part=part)
        self._output.append(item_object)
        return done + self._event("response.output_item.done", output_index=item.index, item=item_object)

    def _end(self, finished: Finished) -> bytes:
        status = status_of(finished)
        # An empty answer gets one empty message.
        opened = self._open_message() if self._open is None and not self._output else b""
        closed = self._close(status)
        usage, measured = usage_object(finished, self._n_reasoning), timings_object(finished)
        whole = response_object(self._meta, status, self._output, usage, measured=measured)
        self._on_done(whole)
        return opened + closed + self._event(f"response.{status}", response=whole)

    def _failed(self, error: Exception) -> bytes:
        failed = response_object(self._meta, "failed", self._output, error=problem_of(error))
        return self._event("response.failed", response=failed)

    def _location(self, item: _OpenItem) -> Item:
        return {"item_id": item.id, "output_index": item.index}

    def _event(self, name: str, /, **fields: object) -> bytes:
        number, self._n_events = self._n_events, self._n_events + 1
        return event_frame(name, {"type": name, "sequence_number": number, **fields})
