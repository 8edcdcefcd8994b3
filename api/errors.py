"""Errors that the endpoint itself raises. `error_bodies` maps them and the engine's errors to HTTP answers.

ApiError
├── BadRequest              the request is malformed or out of range
│   └── UnsupportedParameter  a field asks for something that this server does not do
├── InvalidKey              no key, or a wrong one
├── OwnKeyNeeded            the key of a single tool must not change the answers to others
├── HostNotAllowed          the Host header names another machine
├── OriginNotAllowed        the Origin is not in the list of allowed origins
├── ModelNotFound           another model was requested, and the settings refuse that
├── ResponseNotFound        no stored response has this id
├── RequestNotFound         no running request has this id
├── BodyTooSlow, BodyTooLarge, TooManyValues, NotJson
├── AmbiguousLength         both Content-Length and Transfer-Encoding were sent
├── UnsupportedEncoding     the Content-Encoding is neither gzip nor deflate
├── RequestStopped          the request was cancelled on this machine, not by its client
├── TooManyConnections
├── QueueFull               the limit of requests in progress is reached
├── KeyLimitReached         the limit of this key is reached
├── ModelNotAllowed         this key may not use the model
├── NoSlotFree              all slots are busy, and the client asked not to wait
└── CannotListen            the server cannot bind its address; never sent to a client
    └── PortBusy
"""

from __future__ import annotations


class ApiError(Exception):
    """Base class of the endpoint's own errors."""


class BadRequest(ApiError):
    """A malformed request. `message` is written for the author of the client; `param` is the field's path, as in
    `messages[0].content`."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class UnsupportedParameter(BadRequest):
    """A field asks for something that this server does not do. Ignoring the field would mislead the client."""

    def __init__(self, param: str, message: str | None = None) -> None:
        super().__init__(message or f"'{param}' is not supported with this value.", param)


class InvalidKey(ApiError):
    pass


class OwnKeyNeeded(ApiError):
    """The request would change the answers to the requests of others, but was made with the key of a single tool."""


class HostNotAllowed(ApiError):
    pass


class OriginNotAllowed(ApiError):
    """The Origin header names an origin that is not allowed. `origin` is empty if the header's origin cannot be allowed
    in the settings (an example is the origin "null")."""

    def __init__(self, origin: str = "") -> None:
        super().__init__(origin)
        self.origin = origin


class ModelNotFound(ApiError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class ResponseNotFound(ApiError):
    def __init__(self, response_id: str) -> None:
        super().__init__(response_id)
        self.response_id = response_id


class BodyTooSlow(ApiError):
    pass


class BodyTooLarge(ApiError):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes


class TooManyValues(ApiError):
    """The JSON body contains more values than the limit for parsing."""

    def __init__(self, max_values: int) -> None:
        super().__init__(max_values)
        self.max_values = max_values


class AmbiguousLength(ApiError):
    pass


class UnsupportedEncoding(ApiError):
    def __init__(self, encoding: str) -> None:
        super().__init__(encoding)
        self.encoding = encoding


class NotJson(ApiError):
    pass


class RequestStopped(ApiError):
    pass


class TooManyConnections(ApiError):
    pass


class QueueFull(ApiError):
    pass


class KeyLimitReached(ApiError):
    """`what` names the limit. `retry_after_s`: when the request may succeed."""

    def __init__(self, what: str, retry_after_s: int) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after_s = retry_after_s


class ModelNotAllowed(ApiError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class RequestNotFound(ApiError):
    pass


class NoSlotFree(ApiError):
    pass


class CannotListen(ApiError):
    """The server cannot bind its address. `reason` is the operating system's error text."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}, port {port}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class PortBusy(CannotListen):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, "another program listens there")
