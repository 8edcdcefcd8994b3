"""The interface to one chat model, wherever it runs. The window and the HTTP API get answers only through it.

`engine.engine.Engine` implements it for a model in this process, and `engine.remote` for a model on another server.
Loading, memory and graphics cards are not part of it, because only a local model has them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from engine.adapter import AdapterScales
from engine.errors import EngineError
from engine.events import Embeddings, Scores
from engine.prompt.context_fit import ContextFit
from engine.request_state import RequestProgress
from engine.requests import ChatRequest, EmbedRequest, Message, Request, RerankRequest
from engine.status import ModelProps
from engine.stream import RequestStream

ConstraintKind = Literal["json_object", "json_schema", "regex", "choice", "lark", "gbnf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a model and its server support. Whoever offers a feature to a person or a client asks for it here first: a
    request that needs something unsupported fails with Unsupported."""

    completions: bool = False
    """`CompletionRequest`: text is continued without a chat template."""
    answer_start: bool = False
    """`ChatRequest.answer_start`: the model continues an answer that was begun."""
    logprobs: bool = False
    """`n_logprobs`. Together with `answer_start` this is what word alternatives need."""
    prompt_logprobs: bool = False
    tools: bool = False
    images: bool = False
    """No message has images yet, so this is data for listings only."""
    reasoning: bool = False
    """The model can reason before it answers, and `thinking` and `effort` have an effect."""
    embeddings: bool = False
    constraints: frozenset[ConstraintKind] = frozenset()
    counts_tokens: bool = False
    """Token counts are those of the model. If not, they are estimated from the length of the text."""
    token_ids: bool = False
    """Prompts as token ids, `Sampling.logit_bias`, and the queries `tokenize`, `pieces`, `render` and `fim_prompt`."""
    reuses_prefixes: bool = False
    """Prompt tokens that were computed before are not computed again, and `Usage.n_cached` counts them."""
    adapters: bool = False
    """`adapter_scales`."""

    @property
    def word_alternatives(self) -> bool:
        return self.answer_start and self.logprobs


LOCAL_CAPABILITIES = Capabilities(
    completions=True,
    answer_start=True,
    logprobs=True,
    prompt_logprobs=True,
    tools=True,
    reasoning=True,
    embeddings=True,
    constraints=frozenset(("json_object", "json_schema", "regex", "choice", "lark", "gbnf")),
    counts_tokens=True,
    token_ids=True,
    reuses_prefixes=True,
    adapters=True,
)
"""What the local engine supports with any chat model."""


class ChatModel(Protocol):
    """A model that answers."""

    @property
    def id(self) -> str:
        """Name of the model for API clients."""

    @property
    def name(self) -> str:
        """Name of the model for people."""

    @property
    def n_ctx(self) -> int:
        """Context length in tokens; 0 if the server does not tell it."""

    @property
    def loaded_at(self) -> float:
        """Unix time at which the model was loaded, or found on its server."""

    @property
    def host(self) -> str:
        """Name of the machine to which the words are sent; empty if the model runs in this process."""


class EngineStatus(Protocol):
    """The state of a model. `engine.status.Status` is one."""

    @property
    def state(self) -> Literal["empty", "loading", "ready", "dead", "closed"]: ...

    @property
    def model(self) -> ChatModel | None: ...

    @property
    def progress(self) -> float:
        """The loaded share of the model, 0..1."""

    @property
    def error(self) -> EngineError | None: ...


class Queries(Protocol):
    """Questions about the model that need no answer from it. See `engine.model_queries.ModelQueries`. Queries that the
    engine does not support raise Unsupported."""

    async def props(self) -> ModelProps: ...

    async def fit(self, messages: Sequence[Message]) -> ContextFit: ...

    async def count_tokens(self, request: ChatRequest) -> int: ...

    async def render(self, request: ChatRequest) -> str: ...

    async def tokenize(self, text: str, *, add_special: bool = True, parse_special: bool = True) -> tuple[int, ...]: ...

    async def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]: ...

    async def fim_prompt(self, before: str, behind: str, *, context: str = "", start: str = "") -> tuple[int, ...]: ...


class ChatEngine(Protocol):
    """One chat model. May be used on any thread with a running event loop."""

    @property
    def status(self) -> EngineStatus: ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def queries(self) -> Queries: ...

    def submit(self, request: Request) -> RequestStream:
        """Queues a request and returns the stream of its events, which arrive on the running event loop. Never blocks.

        Raises NotLoaded, EngineDead, EngineClosed. Errors of the request itself, and of a connection, arrive as a
        `Failed` event."""

    def cancel(self, request_id: str) -> None:
        """Cancels a request. Its last event still arrives. Ignores unknown ids. Idempotent."""

    def progress(self, request_id: str) -> RequestProgress | None:
        """Returns the progress of a request between `submit` and its last event; None for any other id."""

    async def embed(self, request: EmbedRequest) -> Embeddings: ...

    def forget(self, owners: Collection[str]) -> None:
        """Removes what the engine keeps in memory for the given owners."""

    def watch(self, listener: Callable[[EngineStatus], None]) -> Callable[[], None]:
        """Calls `listener` on the caller's event loop, first with the current status and then after every change.
        Returns a function that ends these calls."""


@runtime_checkable
class HasAdapters(Protocol):
    """What an engine with `Capabilities.adapters` has besides."""

    def set_adapter_scales(self, scales: AdapterScales) -> None:
        """Sets the scales of the model's adapters for requests that are submitted later and set none. Missing ones
        become 0. Does nothing if no model is loaded."""


@runtime_checkable
class Reranker(Protocol):
    """What an engine that can score documents has besides."""

    async def rerank(self, request: RerankRequest) -> Scores:
        """Raises Unsupported if no reranking model is loaded, and the errors of `ChatEngine.embed`."""
