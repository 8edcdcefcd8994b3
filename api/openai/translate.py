"""Between OpenAI's chat completions and the engine's words, both ways. Pure: ids and time come from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.errors import BadRequest, NotKept, StoppedHere, openai_body, problem_of
from api.openai.promises import refuse_what_is_not_kept
from api.openai.schemas import ChatCompletionBody, ChatMessage
from api.sse import data_frame
from engine.events import (
    Event,
    Failed,
    Finished,
    ModelInfo,
    ReasoningDelta,
    Started,
    TextDelta,
    Timings,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from engine.requests import ChatRequest, Message, Sampling

ROLES: Mapping[str, str] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}

# One less than 32 bits hold: llama.cpp takes the last value for "no seed".
SEEDS = 2**32 - 1

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What every object of one answer repeats. `created` is Unix time."""

    id: str
    created: int
    model: str


# From the client


def chat_request(body: ChatCompletionBody, request_id: str) -> ChatRequest:
    """Raises BadRequest (NotKept for fields whose promise would be broken)."""
    refuse_what_is_not_kept(body.model_extra or {})
    if body.stream_options is not None and not body.stream:
        raise BadRequest("'stream_options' is only allowed when 'stream' is true.", "stream_options")
    return ChatRequest(
        messages=tuple(_message(message, f"messages[{i}]") for i, message in enumerate(body.messages)),
        door="endpoint",
        sampling=sampling(body),
        max_tokens=body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens,
        stop=tuple(stop for stop in body.stop if stop),
        id=request_id,
    )


def sampling(body: ChatCompletionBody) -> Sampling:
    """The engine's defaults, changed by what the client names."""
    named: dict[str, Any] = {
        "temperature": body.temperature,
        "top_k": body.top_k,
        "top_p": body.top_p,
        "min_p": body.min_p,
        "repeat_penalty": body.repeat_penalty,
        "repeat_last_n": body.repeat_last_n,
        "seed": None if body.seed is None else body.seed % SEEDS,
    }
    return replace(Sampling(), **{name: value for name, value in named.items() if value is not None})


def _message(message: ChatMessage, path: str) -> Message:
    role = ROLES.get(message.role)
    if role is None:
        raise NotKept(f"{path}.role", f"Messages of the role '{message.role[:40]}' are not supported.")
    if message.tool_calls not in (None, []):
        raise NotKept(f"{path}.tool_calls")
    return Message(role, _text(message.content, f"{path}.content"))


def _text(content: object, path: str) -> str:
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            return "\n".join(_part_text(part, f"{path}[{i}]") for i, part in enumerate(content))
    raise BadRequest(f"'{path}' must be a string, null, or a list of parts.", path)


def _part_text(part: object, path: str) -> str:
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "refusal", "refusal": str(text)}:
            return text
        case {"type": "text" | "refusal"}:
            raise BadRequest(f"'{path}' has no text.", path)
        case {"type": str(kind)}:
            raise NotKept(path, f"Content of the type '{kind[:40]}' is not supported; send text.")
    raise BadRequest(f"'{path}' must be an object with a type.", path)


# To the client


def completion(head: Head, text: str, finished: Finished) -> dict[str, object]:
    """A whole answer. Raises StoppedHere where it was cut off by someone on this machine."""
    if finished.reason == "cancelled":
        raise StoppedHere
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None},
        "logprobs": None,
        "finish_reason": finished.reason,
    }
    return {
        "id": head.id,
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "choices": [choice],
        "usage": usage(finished.usage),
        "timings": timings(finished.usage, finished.timings),
    }


class ChunkWriter:
    """A streamed answer, event by event."""

    def __init__(self, head: Head, include_usage: bool) -> None:
        self._head = head
        self._include_usage = include_usage

    def frames(self, event: Event) -> bytes:
        match event:
            case Started():
                return self._delta({"role": "assistant", "content": None})
            case TextDelta(text=text):
                return self._delta({"content": text})
            case ReasoningDelta(text=text):
                return self._delta({"reasoning_content": text})
            case ToolCallStarted(index=index, id=id, name=name):
                function = {"name": name, "arguments": ""}
                return self._delta(
                    {"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}
                )
            case ToolCallDelta(index=index, arguments=arguments):
                return self._delta({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
            case Finished(reason="cancelled"):
                return data_frame(openai_body(problem_of(StoppedHere())))
            case Finished():
                return self._end(event)
            case Failed(error=error):
                return data_frame(openai_body(problem_of(error)))

    def _end(self, finished: Finished) -> bytes:
        """The last chunk holds the timings, be it that of the finish reason or that of the usage."""
        measured = {"timings": timings(finished.usage, finished.timings)}
        if not self._include_usage:
            return self._delta({}, finished.reason, measured) + DONE
        counted = {"usage": usage(finished.usage), **measured}
        return self._delta({}, finished.reason) + self._chunk([], counted) + DONE

    def _delta(
        self, delta: Mapping[str, object], reason: str | None = None, beside: Mapping[str, object] | None = None
    ) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": reason}], beside or {})

    def _chunk(self, choices: list[dict[str, object]], beside: Mapping[str, object]) -> bytes:
        head = self._head
        return data_frame(
            {
                "id": head.id,
                "object": "chat.completion.chunk",
                "created": head.created,
                "model": head.model,
                "choices": choices,
                **beside,
            }
        )


def usage(counts: Usage) -> dict[str, object]:
    return {
        "prompt_tokens": counts.n_prompt,
        "completion_tokens": counts.n_output,
        "total_tokens": counts.n_prompt + counts.n_output,
        "prompt_tokens_details": {"cached_tokens": counts.n_cached},
    }


def timings(counts: Usage, spent: Timings) -> dict[str, float]:
    """llama.cpp's names, which tools for local models show."""
    n_read = counts.n_prompt - counts.n_cached
    return {
        "cache_n": counts.n_cached,
        "prompt_n": n_read,
        "prompt_ms": _ms(spent.prefill_s),
        "prompt_per_token_ms": _ms(_ratio(spent.prefill_s, n_read)),
        "prompt_per_second": round(_ratio(n_read, spent.prefill_s), 3),
        "predicted_n": counts.n_output,
        "predicted_ms": _ms(spent.decode_s),
        "predicted_per_token_ms": _ms(_ratio(spent.decode_s, counts.n_output)),
        "predicted_per_second": round(_ratio(counts.n_output, spent.decode_s), 3),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def model_object(model: ModelInfo) -> dict[str, object]:
    """Its id is the file's name alone; where the file lies is nobody's business."""
    return {
        "id": model.id,
        "object": "model",
        "created": int(model.loaded_at),
        "owned_by": "inglenook",
        "meta": {"n_ctx": model.n_ctx, "n_ctx_train": model.n_ctx_train, "size": model.size_bytes},
    }
