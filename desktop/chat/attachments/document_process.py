"""Reads PDF and Word documents in a child process, which can be killed if it takes too long.

`python -m desktop.chat.attachments.document_process KIND FILE` writes JSON to stdout: the text, or the name and the
fields of an `AttachError`. A packaged program has no Python interpreter that could run this module, so it starts itself
with `READ_OPTION`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from desktop.chat.attachments.errors import AttachError, Damaged, Unreachable
from desktop.chat.attachments.limits import CHILD_BYTES
from desktop.platform.child_memory import bound_memory
from desktop.store.records import AttachmentKind

READ_OPTION = "--read-document"
"""Command line option that makes a packaged program read one document and exit."""


def child_command(kind: AttachmentKind, path: Path) -> list[str]:
    """Command line of the child process that reads this document."""
    start = [READ_OPTION] if getattr(sys, "frozen", False) else ["-m", "desktop.chat.attachments.document_process"]
    return [sys.executable, *start, kind, str(path)]


def run_as_document_reader(arguments: Sequence[str]) -> int | None:
    """If this process is a packaged program that was started with `READ_OPTION`, read the document and return the exit
    code. Otherwise return None."""
    if not getattr(sys, "frozen", False) or list(arguments[:1]) != [READ_OPTION]:
        return None
    return main(list(arguments[1:]))


def main(arguments: Sequence[str]) -> int:
    # These modules are imported here, because only the child process needs them.
    from desktop.chat.attachments.docx import read_docx
    from desktop.chat.attachments.pdf import read_pdf

    kind, path = arguments[0], Path(arguments[1])
    bound_memory(CHILD_BYTES)
    result: dict[str, object]
    try:
        result = {"text": read_pdf(path) if kind == "pdf" else read_docx(path)}
    except AttachError as error:
        result = _error_fields(error)
    except OSError as error:
        result = _error_fields(Unreachable(path.name, error.strerror or str(error)))
    except (MemoryError, RecursionError):
        result = _error_fields(Damaged(path.name))
    sys.stdout.buffer.write(json.dumps(result).encode())
    sys.stdout.buffer.flush()
    return 0


def _error_fields(error: AttachError) -> dict[str, object]:
    return {"error": type(error).__name__, **vars(error)}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
