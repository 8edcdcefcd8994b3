"""The text of a PDF. Runs in the process that reads documents."""

from __future__ import annotations

import logging
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from desktop.chat.attachments.errors import AttachError, Damaged, Encrypted, TooLarge
from desktop.chat.attachments.limits import CHARACTERS, PAGES
from desktop.platform.surrogates import well_formed


def read_pdf(path: Path) -> str:
    """Page after page, an empty line between. Raises Encrypted, Damaged, TooLarge."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of each small fault that it mends
    try:
        return _read(path)
    except AttachError:
        raise
    except (FileNotDecryptedError, DependencyError) as error:
        raise Encrypted(path.name) from error
    except OSError:
        raise
    except Exception as error:  # a broken file makes pypdf stumble in many ways
        raise Damaged(path.name) from error


def _read(path: Path) -> str:
    reader = PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):  # many are closed against changes only, with no password
        raise Encrypted(path.name)
    if len(reader.pages) > PAGES:
        raise TooLarge(path.name, "pages", PAGES)
    pages: list[str] = []
    n_characters = 0
    for page in reader.pages:
        # A font may map a letter to one half of a surrogate pair, and the next one to the other.
        pages.append(well_formed(page.extract_text()).strip())
        n_characters += len(pages[-1])
        if n_characters > CHARACTERS:
            raise TooLarge(path.name, "characters", CHARACTERS)
    return "\n\n".join(page for page in pages if page)
