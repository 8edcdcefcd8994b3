"""Text of Word documents, with headings, lists and tables as Markdown. Runs in the child process that reads documents.

A .docx file is a ZIP package: https://ecma-international.org/publications-and-standards/standards/ecma-376/. The file
_rels/.rels names the main part, which is usually word/document.xml. For this part, the file
word/_rels/document.xml.rels names the parts with footnotes and endnotes. "Strict" documents (ISO/IEC 29500-1) have the
same elements as "transitional" ones (29500-4), but in other XML namespaces."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from desktop.chat.attachments.errors import Damaged, Encrypted, NotText, TooLarge
from desktop.chat.attachments.file_kinds import OLD_OFFICE
from desktop.chat.attachments.limits import UNPACKED_BYTES

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BODY = "word/document.xml"
"""Main part of a package in which _rels/.rels names none."""

PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
MAIN, NOTES = "/officeDocument", ("/footnotes", "/endnotes")
"""Relationship types of the main part and of notes: only their suffixes, which are the same in strict and transitional
documents."""

TRANSITIONAL = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
W = TRANSITIONAL
SKIPPED = frozenset(
    {W + "del", W + "moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
)
"""Elements that are skipped: text that was deleted or moved away in tracked changes, and the versions of some elements
that are written for older programs."""

BREAKS = {W + "tab": "\t", W + "br": "\n", W + "cr": "\n", W + "noBreakHyphen": "-"}
HEADINGS = 6


def read_docx(path: Path) -> str:
    """Text of a Word document, with an empty line between blocks. Raises Encrypted, Damaged, NotText, TooLarge,
    OSError."""
    with path.open("rb") as file:
        if file.read(len(OLD_OFFICE)) == OLD_OFFICE:
            raise Encrypted(path.name)
    try:
        with zipfile.ZipFile(path) as package:
            parts = _parts(package, path.name)
            if not parts:
                raise NotText(path.name)  # the file is a ZIP file, but not a Word document
            blocks = [block for part in parts for block in _blocks(_root(package, part, path.name))]
    except (zipfile.BadZipFile, zlib.error, EOFError, ParseError, DefusedXmlException, RecursionError) as error:
        raise Damaged(path.name) from error
    except RuntimeError as error:  # zipfile raises RuntimeError for encrypted entries
        raise Encrypted(path.name) from error
    except NotImplementedError as error:  # zipfile raises NotImplementedError for unknown compression methods
        raise Damaged(path.name) from error
    return "\n\n".join(blocks)


def _parts(package: zipfile.ZipFile, name: str) -> list[str]:
    """Names of the main part and of the parts with footnotes and endnotes; empty if the package is not a Word
    document."""
    names = set(package.namelist())
    main = next(iter(_related(package, names, "", "_rels/.rels", (MAIN,), name)), BODY)
    if main not in names:
        return []
    root = _root(package, main, name)
    if root.tag not in (W + "document", W + "body"):
        return []  # the file is, for example, a spreadsheet or a presentation
    folder, _, file = main.rpartition("/")
    notes = _related(package, names, folder, f"{folder}/_rels/{file}.rels".lstrip("/"), NOTES, name)
    usual = [each for each in ("word/footnotes.xml", "word/endnotes.xml") if each in names and not notes]
    return [main, *notes, *usual]


def _related(
    package: zipfile.ZipFile, names: set[str], folder: str, relations: str, types: tuple[str, ...], name: str
) -> list[str]:
    """Names of the related parts whose relationship type is one of `types`, in the order of `types`. The part
    `relations` lists them. Parts that are missing in the package are omitted."""
    if relations not in names:
        return []
    found: list[str] = []
    all_of = [each for each in _root(package, relations, name) if each.tag == PACKAGE]
    for kind in types:
        for each in all_of:
            if (each.get("Type") or "").endswith(kind) and each.get("TargetMode") != "External":
                target = each.get("Target") or ""
                part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
                found += [part.lstrip("/")] if part.lstrip("/") in names else []
    return found


def _root(package: zipfile.ZipFile, part: str, name: str) -> Element:
    with package.open(part) as packed:
        # The data may be longer than the size stated in the ZIP file, so read one byte more than the limit.
        data = packed.read(UNPACKED_BYTES + 1)
    if len(data) > UNPACKED_BYTES:
        raise TooLarge(name, "bytes", UNPACKED_BYTES)
    root = parse(io.BytesIO(data), forbid_dtd=True).getroot()
    if root is None:
        raise Damaged(name)
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.startswith(STRICT):
            element.tag = W + element.tag.removeprefix(STRICT)
            for key in [key for key in element.attrib if key.startswith(STRICT)]:
                element.set(W + key.removeprefix(STRICT), element.attrib.pop(key))
    return root


def _blocks(element: Element) -> Iterator[str]:
    """Paragraphs, list items and tables inside `element`, each as a block of Markdown."""
    for child in element:
        if child.tag == W + "p":
            text = _inline(child).strip()
            if text:
                yield _marked(child, text)
        elif child.tag == W + "tbl":
            table = _table(child)
            if table:
                yield table
        elif child.tag not in SKIPPED:
            yield from _blocks(child)


def _inline(element: Element) -> str:
    parts: list[str] = []
    for child in element:
        if child.tag == W + "t":
            parts.append(child.text or "")
        elif child.tag in BREAKS:
            parts.append(BREAKS[child.tag])
        elif child.tag == W + "p":  # this is a text box inside a paragraph
            parts.append("\n" + _inline(child))
        elif child.tag not in SKIPPED and child.tag != W + "pPr":
            parts.append(_inline(child))
    return "".join(parts)


def _marked(paragraph: Element, text: str) -> str:
    style = paragraph.find(f"{W}pPr/{W}pStyle")
    name = (style.get(W + "val") or "").lower() if style is not None else ""
    if name == "title":
        return f"# {text}"
    level = name.removeprefix("heading")
    if name.startswith("heading") and level.isdigit() and 1 <= int(level) <= HEADINGS:
        return f"{'#' * int(level)} {text}"
    return f"- {text}" if paragraph.find(f"{W}pPr/{W}numPr") is not None else text


def _table(table: Element) -> str:
    rows: list[list[str]] = []
    for row in table.iter(W + "tr"):
        cells = (" ".join(_inline(cell).split()).replace("|", "\\|") for cell in row.iterfind(W + "tc"))
        rows.append(list(cells))
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rule = "|" + " --- |" * len(rows[0])
    return "\n".join([lines[0], rule, *lines[1:]])
