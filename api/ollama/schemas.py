"""What Ollama's clients send. They stream unless told not to."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from api.body import MAX_MESSAGES, Body, Count, Stops, whole
from api.fields.sampling import SamplerFields
from api.fields.tools import ToolBody
from api.ollama.duration import seconds_of


def _none_if_endless(value: object) -> object:
    value = whole(value)
    return None if type(value) is int and value <= 0 else value


class Options(SamplerFields):
    """What concerns memory and threads (`num_ctx`, `num_gpu`, …) was settled when the model was loaded. `num_keep`
    concerns a prompt that is shortened, which is an error here."""

    num_predict: Annotated[Count | None, BeforeValidator(_none_if_endless)] = None
    stop: Stops = Field(default_factory=list)


class ModelBody(Body):
    """`name` is the older word."""

    model: str | None = None
    name: str | None = None


class KeepingBody(ModelBody):
    """`keep_alive`: how many seconds the model stays after its last use; None says nothing new."""

    keep_alive: Annotated[float | None, BeforeValidator(seconds_of, json_schema_input_type=float | str | None)] = None


class OllamaMessage(Body):
    role: str
    content: str | None = None
    thinking: str | None = None
    images: list[object] | None = None
    tool_calls: list[dict[str, object]] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class AnswerBody(KeepingBody):
    """What chats and completions have in common."""

    stream: bool | None = None
    format: str | dict[str, object] | None = None
    options: Options | None = None
    think: bool | str | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None

    @property
    def chosen(self) -> Options:
        """The options, also where none were sent."""
        return self.options or Options()


class ChatBody(AnswerBody):
    messages: Annotated[list[OllamaMessage], Field(max_length=MAX_MESSAGES)] | None = None
    tools: Annotated[list[ToolBody], Field(max_length=1024)] | None = None


class GenerateBody(AnswerBody):
    prompt: str | None = None
    suffix: str | None = None
    system: str | None = None
    raw: bool | None = None
    template: str | None = None
    context: list[int] | None = None
    images: list[object] | None = None


class EmbedBody(KeepingBody):
    """`prompt` is the older word for one `input`. `truncate`: an input that is too long is cut off at its end, which
    is also the default."""

    input: str | list[str] | None = None
    prompt: str | None = None
    truncate: bool | None = None
    dimensions: Count | None = None
