"""Text of PDF files. Runs in the child process that reads documents."""

from __future__ import annotations

import logging
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from desktop.chat.attachments.errors import AttachError, Damaged, Encrypted, TooLarge
from desktop.chat.attachments.limits import CHARACTERS, PAGES
from desktop.platform.surrogates import well_formed


def read_pdf(path: Path) -> str:
    """Text of all pages of a PDF file, with an empty line between pages. Raises Encrypted, Damaged, TooLarge,
    OSError."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # pypdf logs every small error that it repairs
    try:
        return _read(path)
    except AttachError:
        raise
    except (FileNotDecryptedError, DependencyError) as error:
        raise Encrypted(path.name) from error
    except OSError:
        raise
    except Exception as error:  # pypdf raises many types of exceptions for damaged files
        raise Damaged(path.name) from error


def _read(path: Path) -> str:
    reader = PdfReader(path)
    # Many PDF files are encrypted only to forbid changes. Such a file can be opened with an empty password.
    if reader.is_encrypted and not reader.decrypt(""):
        raise Encrypted(path.name)
    if len(reader.pages) > PAGES:
        raise TooLarge(path.name, "pages", PAGES)
    pages: list[str] = []
    n_characters = 0
    for page in reader.pages:
        # A font may map two characters to the two halves of a surrogate pair. `well_formed` joins them.
        pages.append(well_formed(page.extract_text()).strip())
        n_characters += len(pages[-1])
        if n_characters > CHARACTERS:
            raise TooLarge(path.name, "characters", CHARACTERS)
    return "\n\n".join(page for page in pages if page)
