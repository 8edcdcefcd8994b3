"""The responses API's objects. Pure: ids and time come from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.answer import Answer
from api.errors import Problem
from api.fields import logprobs
from api.fields.usage import timings
from api.openai.responses.items import Item
from api.openai.responses.request import function_tools, namespaces
from api.openai.responses.schemas import ResponsesBody
from engine.events import Finished, TokenChoice
from engine.requests import ChatRequest, ToolCall


@dataclass(frozen=True, slots=True)
class ResponsesMeta:
    """What every object of one response repeats. `key` makes its ids; `created_at` is Unix time."""

    key: str
    created_at: int
    model: str
    body: ResponsesBody
    request: ChatRequest
    stores: bool = True
    """Whether the response is to be kept."""

    @property
    def id(self) -> str:
        return f"resp_{self.key}"

    def called(self, flat_name: str) -> Item:
        """The name of a function that was called, with its namespace where it has one."""
        namespace, name = namespaces(self.body).get(flat_name, (None, flat_name))
        return {"name": name} if namespace is None else {"name": name, "namespace": namespace}

    def item_id(self, kind: str, index: int) -> str:
        return f"{kind}_{self.key}_{index}"


def response_object(
    head: ResponsesMeta,
    status: str,
    output: Sequence[Item] = (),
    usage: Item | None = None,
    error: Problem | None = None,
    measured: Item | None = None,
) -> Item:
    body, request = head.body, head.request
    asked_format = body.text.format if body.text else None
    return {
        "id": head.id,
        "object": "response",
        "created_at": head.created_at,
        "status": status,
        "background": False,
        "error": None if error is None else {"code": "server_error", "message": error.message},
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "model": head.model,
        "output": list(output),
        "parallel_tool_calls": request.parallel_tool_calls,
        "previous_response_id": body.previous_response_id,
        "reasoning": {"effort": body.reasoning.effort if body.reasoning else None, "summary": None},
        "store": head.stores,
        "temperature": request.sampling.temperature,
        "text": {"format": asked_format.model_dump(by_alias=True, exclude_none=True) if asked_format else _TEXT},
        "tool_choice": body.tool_choice or "auto",
        "tools": function_tools(body),
        "top_p": request.sampling.top_p,
        "truncation": "disabled",
        "usage": usage,
        "metadata": body.metadata or {},
        **({"timings": measured} if measured else {}),
    }


_TEXT = {"type": "text"}


def whole_response(head: ResponsesMeta, answer: Answer) -> Item:
    """An answer that is not streamed."""
    status = status_of(answer.finished)
    output: list[Item] = []
    if answer.reasoning:
        output.append(reasoning_item(head, len(output), "completed", answer.reasoning))
    if answer.text or not answer.calls:
        output.append(message_item(head, len(output), status, answer.text, answer.choices))
    for call in answer.calls:
        output.append(call_item(head, len(output), "completed", call))
    finished = answer.finished
    usage, measured = usage_object(finished, answer.n_reasoning), timings_object(finished)
    return response_object(head, status, output, usage, measured=measured)


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
    head: ResponsesMeta, index: int, status: str, text: str | None, choices: Sequence[TokenChoice] = ()
) -> Item:
    """`text` None: nothing has come yet."""
    return {
        "id": head.item_id("msg", index),
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [] if text is None else [text_part(text, choices)],
    }


def reasoning_item(head: ResponsesMeta, index: int, status: str, text: str | None) -> Item:
    return {
        "id": head.item_id("rs", index),
        "type": "reasoning",
        "status": status,
        "summary": [],
        "content": [] if text is None else [reasoning_part(text)],
    }


def call_item(head: ResponsesMeta, index: int, status: str, call: ToolCall) -> Item:
    return {
        "id": head.item_id("fc", index),
        "type": "function_call",
        "status": status,
        "call_id": call.id,
        **head.called(call.name),
        "arguments": call.arguments,
    }
