"""The text of messages: text parts, text files, and notes in place of parts that are not text."""

from __future__ import annotations

import base64
import binascii
import re

from api.errors import BadRequest, UnsupportedParameter

_DATA_URL = re.compile(r"data:([^;,]*)(?:;[^,]*)?;base64,", re.IGNORECASE)
_TEXT_TYPES = re.compile(
    r"text/.*|.*\+(?:json|xml|yaml)|application/(?:json|jsonl|ndjson|xml|(?:x-)?(?:yaml|toml|sh|sql|javascript))?"
    r"|application/octet-stream|",
    re.IGNORECASE,
)
"""Media types of files that may be text. These include the empty type and `application/octet-stream`, which do not
describe the content."""
_CONTROL_CHARS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

_TEXT_PARTS = frozenset(("text", "input_text", "output_text", "refusal"))


def text_of(content: object, path: str) -> str:
    """Returns the text of OpenAI's `content`: a string, null, or a list of parts. `path`: the content's position in the
    body, for error messages.

    Raises BadRequest, UnsupportedParameter."""
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            return "\n".join(_part_text(part, f"{path}[{i}]") for i, part in enumerate(content))
    raise BadRequest(f"'{path}' must be a string, null, or a list of parts.", path)


def result_text(content: object, path: str) -> str:
    """Returns the text of a tool's result, with a note in place of each part that is not text. Such a part is not
    refused, because the client repeats it in every later request, and all of these would be refused. Raises
    BadRequest."""
    if not isinstance(content, list):
        return text_of(content, path)
    return "\n".join(_part_text_or_note(part, f"{path}[{i}]") for i, part in enumerate(content))


def omission_note(kind: str) -> str:
    """Returns the note that replaces a part that is not text. `kind` is the part's type."""
    what = "An image" if "image" in kind else f"Content of the type {kind[:40]}"
    return f"[{what} was left out: only text is read here.]"


def _part_text_or_note(part: object, path: str) -> str:
    match part:
        case {"type": str(kind)} if kind not in _TEXT_PARTS:
            try:
                return _part_text(part, path)
            except UnsupportedParameter:
                return omission_note(kind)
    return _part_text(part, path)


def _part_text(part: object, path: str) -> str:
    match part:
        case {"type": "text" | "input_text" | "output_text", "text": str(text)}:
            return text
        case {"type": "refusal", "refusal": str(text)}:
            return text
        case {"type": "file", "file": {"file_data": str(data), **more}}:
            return with_file_name(more.get("filename"), text_of_file(data, "", path))
        case {"type": "input_file", "file_data": str(data), **more}:
            return with_file_name(more.get("filename"), text_of_file(data, "", path))
        case {"type": "text" | "input_text" | "output_text" | "refusal"}:
            raise BadRequest(f"'{path}' has no text.", path)
        case {"type": str(kind)}:
            raise unsupported_content(kind, path)
    raise BadRequest(f"'{path}' must be an object with a type.", path)


def unsupported_content(kind: str, path: str) -> UnsupportedParameter:
    return UnsupportedParameter(path, f"Content of the type '{kind[:40]}' is not supported; send text.")


def unsupported_role(role: str, path: str) -> UnsupportedParameter:
    return UnsupportedParameter(path, f"Messages of the role '{role[:40]}' are not supported.")


def text_of_file(data: str, media_type: str, path: str) -> str:
    """Returns the text of a file. `data` is base64 or a data URL; the media type in a data URL replaces `media_type`.

    Raises UnsupportedParameter for a file that is not UTF-8 text."""
    if found := _DATA_URL.match(data):
        data, media_type = data[found.end() :], found[1]
    if not _TEXT_TYPES.fullmatch(media_type.strip()):
        raise UnsupportedParameter(path, f"Files of the type '{media_type[:40]}' are not supported; send text.")
    try:
        text = base64.b64decode(data, validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        text = "\0"
    if _CONTROL_CHARS.search(text) or text.startswith("%PDF-"):
        raise UnsupportedParameter(path, "This file is not supported; send text in UTF-8, in base64.")
    return text


def with_file_name(name: object, text: str) -> str:
    return f"{name}\n{text}" if isinstance(name, str) and name else text
