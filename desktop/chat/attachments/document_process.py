"""`python -m desktop.chat.attachments.document_process KIND FILE`: reads a document, in a process that can be ended
when it takes too long.

Says on stdout, as JSON, the text, or the name of the error with its fields.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from desktop.chat.attachments.docx import read_docx
from desktop.chat.attachments.errors import AttachError, Damaged, Unreachable
from desktop.chat.attachments.limits import CHILD_BYTES
from desktop.chat.attachments.pdf import read_pdf
from desktop.platform.child_memory import bound_memory


def main(arguments: Sequence[str]) -> int:
    kind, path = arguments[0], Path(arguments[1])
    bound_memory(CHILD_BYTES)
    answer: dict[str, object]
    try:
        answer = {"text": read_pdf(path) if kind == "pdf" else read_docx(path)}
    except AttachError as error:
        answer = said(error)
    except OSError as error:
        answer = said(Unreachable(path.name, error.strerror or str(error)))
    except (MemoryError, RecursionError):
        answer = said(Damaged(path.name))
    sys.stdout.buffer.write(json.dumps(answer).encode())
    sys.stdout.buffer.flush()
    return 0


def said(error: AttachError) -> dict[str, object]:
    """The error as the parent reads it."""
    return {"error": type(error).__name__, **vars(error)}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
