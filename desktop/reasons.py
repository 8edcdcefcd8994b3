"""The clauses with which the engine, the exchange and the system say why something did not work, for the screen.

They are written in English where they arise, without Qt; here each is known by its words. One that is not known, as
llama.cpp's own, is shown as it came.
"""

from __future__ import annotations

import re
from functools import cache

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

_MARKED = (
    # A model file
    QT_TRANSLATE_NOOP("reasons", "there is no such file"),
    QT_TRANSLATE_NOOP("reasons", "this is a folder, not a file"),
    QT_TRANSLATE_NOOP("reasons", "the file cannot be read ({why})"),
    QT_TRANSLATE_NOOP("reasons", "the file is no GGUF model"),
    QT_TRANSLATE_NOOP("reasons", "its GGUF version {version} is not one we know"),
    QT_TRANSLATE_NOOP("reasons", "its header is damaged"),
    QT_TRANSLATE_NOOP("reasons", "its header is damaged: {key} is out of range"),
    QT_TRANSLATE_NOOP("reasons", "the file is cut short; download it again"),
    QT_TRANSLATE_NOOP("reasons", "{n} of its {all} parts are missing"),
    QT_TRANSLATE_NOOP("reasons", "it is an adapter for another model"),
    QT_TRANSLATE_NOOP("reasons", "it is the eye of another model, not a model by itself"),
    QT_TRANSLATE_NOOP("reasons", "it holds no weights"),
    QT_TRANSLATE_NOOP("reasons", "this model ranks texts, it does not embed them"),
    # Its trial
    QT_TRANSLATE_NOOP("reasons", "llama.cpp cannot load it ({why})"),
    QT_TRANSLATE_NOOP("reasons", "its vocabulary is damaged ({why})"),
    QT_TRANSLATE_NOOP("reasons", "llama.cpp cannot compute with it ({why})"),
    QT_TRANSLATE_NOOP("reasons", "its chat template takes too much memory or time ({why})"),
    QT_TRANSLATE_NOOP("reasons", "it cannot be tried ({why})"),
    QT_TRANSLATE_NOOP("reasons", "the trial took too long"),
    QT_TRANSLATE_NOOP("reasons", "the trial took too much memory"),
    QT_TRANSLATE_NOOP("reasons", "the trial ended with {code}"),
    QT_TRANSLATE_NOOP("reasons", "llama.cpp cannot compute with it"),
    QT_TRANSLATE_NOOP("reasons", "llama.cpp cannot load this file"),
    QT_TRANSLATE_NOOP("reasons", "there is not enough memory for its context"),
    # How it is to be loaded
    QT_TRANSLATE_NOOP("reasons", "{kind} needs flash attention"),
    QT_TRANSLATE_NOOP("reasons", "the model's heads of {sizes} numbers cannot be packed as {kind}"),
    QT_TRANSLATE_NOOP("reasons", "{value} is not between 0 and {largest}"),
    QT_TRANSLATE_NOOP("reasons", "the system lets us lock {allowed} MB, the model has {size} MB"),
    QT_TRANSLATE_NOOP("reasons", "this build of llama.cpp has no GPU support"),
    QT_TRANSLATE_NOOP("reasons", "an embedding model supports only the default"),
    # A download
    QT_TRANSLATE_NOOP("reasons", "{name} is no name for a model"),
    # The system's
    QT_TRANSLATE_NOOP("reasons", "No such file or directory"),
    QT_TRANSLATE_NOOP("reasons", "Permission denied"),
    QT_TRANSLATE_NOOP("reasons", "Operation not permitted"),
    QT_TRANSLATE_NOOP("reasons", "Is a directory"),
    QT_TRANSLATE_NOOP("reasons", "Not a directory"),
    QT_TRANSLATE_NOOP("reasons", "No space left on device"),
    QT_TRANSLATE_NOOP("reasons", "Disk quota exceeded"),
    QT_TRANSLATE_NOOP("reasons", "Read-only file system"),
    QT_TRANSLATE_NOOP("reasons", "Input/output error"),
    QT_TRANSLATE_NOOP("reasons", "File name too long"),
    # SQLite's
    QT_TRANSLATE_NOOP("reasons", "unable to open database file"),
    QT_TRANSLATE_NOOP("reasons", "attempt to write a readonly database"),
    QT_TRANSLATE_NOOP("reasons", "database is locked"),
    QT_TRANSLATE_NOOP("reasons", "disk I/O error"),
)
KNOWN = tuple(map(str, _MARKED))
"""Words in braces stand for what differs; `why` is a clause of its own."""


def reason(clause: str) -> str:
    """The clause in the person's language. GUI thread."""
    for known, pattern in _patterns():
        if found := pattern.fullmatch(clause):
            values = {name: reason(text) if name == "why" else text for name, text in found.groupdict().items()}
            return QCoreApplication.translate("reasons", known).format(**values)
    return clause


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((known, _pattern(known)) for known in KNOWN)


def _pattern(known: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", known)  # text, name, text, name, …
    written = (f"(?P<{piece}>.+)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces))
    return re.compile("".join(written), re.DOTALL)
