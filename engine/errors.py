"""Errors of the engine. Each has its data in attributes; the API maps it to an HTTP status, the desktop to a sentence.

EngineError
├── NotLoaded            no model is loaded, or it is still loading
├── EngineDead           a native failure ended the engine; loading again works
│   └── CardLost         a graphics card stopped responding
├── EngineClosed         the engine was closed
├── LoadCancelled        the load was cancelled
├── ModelFileError       the file is missing, damaged or not supported
│   └── AllocationFailed the system refused memory for the model
├── InvalidSettings      the load settings contradict each other, the model or the machine
├── DraftModelError      the draft model cannot be used; the chat model was loaded without it
├── AdapterError         a LoRA adapter cannot be used; the model was loaded without it
├── NotEnoughMemory      the model does not fit into the free memory
├── KvCacheFull          background work, such as a chat title, found no free KV memory
├── RemoteError          a server on the network did not answer as it should
│   ├── ServerUnreachable    no connection, or it was lost
│   ├── AccessDenied         the server refused the key
│   ├── ServerBusy           the server has too many requests, or is loading the model
│   └── ServerFailed         the server answered with another error
└── RequestError         the request cannot be served and will fail again
    ├── ContextOverflow  the prompt does not fit into the context
    ├── TemplateError    the chat template raised an error
    ├── ConstraintError  the constraint cannot be enforced
    └── Unsupported      the model, or the server on which it runs, does not support what the request asks for
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from engine.files.display_name import display_name


class Reason(str):
    """A clause in English that explains an error. Template and values are stored separately, so that the clause can be
    translated: `Reason("{n} of its {all} parts are missing", n=1, all=2)`."""

    template: str
    values: dict[str, str]

    def __new__(cls, template: str, **values: object) -> Self:
        texts = {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
        reason = super().__new__(cls, template.format(**texts))
        reason.template, reason.values = template, texts
        return reason


class EngineError(Exception):
    """Base of all errors that the engine raises or sends in a `Failed` event."""


class NotLoaded(EngineError):
    def __init__(self, loading: bool = False) -> None:
        super().__init__("the model is still loading" if loading else "no model is loaded")
        self.loading = loading


class EngineDead(EngineError):
    def __init__(self, cause: str) -> None:
        super().__init__(f"the engine stopped: {cause}")
        self.cause = cause


class CardLost(EngineDead):
    """A graphics card stopped responding while it computed the model. Loading again works if the driver has recovered,
    otherwise with `LoadSettings(devices=())`."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the graphics card stopped responding ({cause})")


class EngineClosed(EngineError):
    def __init__(self) -> None:
        super().__init__("the engine is closed")


class LoadCancelled(EngineError):
    def __init__(self) -> None:
        super().__init__("loading was cancelled")


class ModelFileError(EngineError):
    """A model file that cannot be loaded. `reason` is a short clause without the path, suitable for display; it is a
    Reason if it contains values."""

    def __init__(self, path: Path, reason: str, *, is_transient: bool = False) -> None:
        """`is_transient` means that the system could not read the file at this time; the file itself may be valid."""
        super().__init__(f"{display_name(path.name)}: {reason}")
        self.path = path
        self.reason = reason
        self.is_transient = is_transient


class AllocationFailed(ModelFileError):
    """The system refused memory for the model or its context. Loading may work once other models are unloaded."""


class InvalidSettings(EngineError):
    """A load setting that cannot be used. `field` is the name of the setting. `reason` is a short clause; it is a
    Reason if it contains values."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class DraftModelError(EngineError):
    """The draft model cannot be used, because of `cause`. The chat model was loaded without it."""

    def __init__(self, path: Path, cause: EngineError) -> None:
        super().__init__(f"the draft model {display_name(path.name)} is not used: {cause}")
        self.path = path
        self.cause = cause


class AdapterError(EngineError):
    """A LoRA adapter cannot be used. `reason` is a short clause about the file; it is a Reason if it contains values.
    Loading a model does not raise this: the model is loaded without the adapter."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the adapter {display_name(path.name)} is not used: {reason}")
        self.path = path
        self.reason = reason


class NotEnoughMemory(EngineError):
    """The model does not fit into the free memory. `needed` and `available` are in bytes."""

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(f"the model needs {needed // 10**6} MB of memory, {available // 10**6} MB are free")
        self.needed = needed
        self.available = available


class KvCacheFull(EngineError):
    """The KV memory has too few free cells for background work, such as a chat title, because such work never evicts
    cached prefixes of chats in the app's window. The same work may succeed later."""

    def __init__(self, n_tokens: int) -> None:
        super().__init__(f"there is no room for {n_tokens} tokens beside the chats in memory")
        self.n_tokens = n_tokens


class RequestError(EngineError):
    """The request itself causes the error: the same request will fail again."""


class ContextOverflow(RequestError):
    def __init__(self, n_prompt: int, n_ctx: int) -> None:
        super().__init__(f"the prompt has {n_prompt} tokens, the model reads {n_ctx}")
        self.n_prompt = n_prompt
        self.n_ctx = n_ctx


class TemplateError(RequestError):
    """The chat template raised an error. `reason` comes from the model's template, so it is untrusted text."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the chat template refused the messages: {reason}")
        self.reason = reason


class ConstraintError(RequestError):
    """The constraint cannot be enforced. `reason` may quote the schema or grammar of the request, so it is untrusted
    text."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the constraint cannot be enforced: {reason}")
        self.reason = reason


class Unsupported(RequestError):
    """The model, or the server on which it runs, does not support `feature`, which is a short noun phrase, such as
    "log probabilities"."""

    def __init__(self, feature: str) -> None:
        super().__init__(f"the model's server does not support {feature}")
        self.feature = feature


class RemoteError(EngineError):
    """A server on the network did not answer as it should. `host` names it. `reason` may quote the server, so it is
    untrusted text."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


class ServerUnreachable(RemoteError):
    """The server could not be reached, or the connection was lost. Without `is_transient`, trying again is of no use
    until a setting is changed, here or on the server."""

    def __init__(self, host: str, reason: str, *, is_transient: bool = True) -> None:
        super().__init__(host, reason)
        self.is_transient = is_transient


class AccessDenied(RemoteError):
    """The server refused the key, or requires one."""


class ServerBusy(RemoteError):
    """The server has too many requests, or is loading the model. `retry_after_s` is the delay that it asked for."""

    def __init__(self, host: str, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(host, reason)
        self.retry_after_s = retry_after_s


class ServerFailed(RemoteError):
    """The server answered with an error. `status` is the HTTP status; 200 if the error was part of a stream."""

    def __init__(self, host: str, reason: str, status: int) -> None:
        super().__init__(host, reason)
        self.status = status
