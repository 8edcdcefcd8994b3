"""Colour for a code block that is still being written, without reading it from its start each time. Pure."""

from __future__ import annotations

from desktop.render.code_highlighting import LIMIT, code_html

TAIL = 1_200
"""Characters that are read again with each change; about 4 ms."""


class IncrementalHighlighter:
    """What stands far enough above the end keeps its colours. The code must only ever grow at its end."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._settled = ""
        self._settled_html = ""

    def feed(self, code: str) -> str:
        """One `<pre>` for the whole of `code`."""
        if len(code) > LIMIT:
            return code_html(code, self.language)
        if not code.startswith(self._settled):
            self._settled = self._settled_html = ""
        tail = code[len(self._settled) :]
        if len(tail) > 2 * TAIL:
            cut = len(self._settled) + _restart(tail)
            self._settled_html += _inner(code_html(code[len(self._settled) : cut], self.language))
            self._settled = code[:cut]
            tail = code[cut:]
        return f"<pre>{self._settled_html}{_inner(code_html(tail, self.language))}</pre>"


def _restart(tail: str) -> int:
    """Where reading may begin anew: before a line that is not indented, else before any line, else anywhere."""
    best = 0
    at = tail.find("\n") + 1
    while 0 < at <= TAIL:
        if not best or not tail[at : at + 1].isspace():
            best = at
        at = tail.find("\n", at) + 1
    return best or TAIL


def _inner(html: str) -> str:
    return html.removeprefix("<pre>").removesuffix("</pre>")
