"""A table of malformed request bodies, each with a short description as its key. Tests send them to every route."""

from __future__ import annotations

from collections.abc import Mapping

HOSTILE: Mapping[str, bytes] = {
    "no body": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a null": b"null",
    "deep lists": b"[" * 100_000,
    "a deep field": b'{"messages":' + b"[" * 100_000,
    "no UTF-8": b'{"prompt":"\xff"}',
    "half a surrogate": b'{"prompt":"\\ud800","messages":"\\ud800","input":3,"content":1,"tokens":1,"input_prefix":1}',
    "an endless number": b"{%s}"
    % b",".join(
        b'"%s":1e999' % name for name in (b"model", b"max_tokens", b"n_predict", b"prompt", b"input", b"messages")
    ),
    "huge digits": b'{"seed":' + b"9" * 5000 + b"}",
}
