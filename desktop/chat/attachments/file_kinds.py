"""What kind of file this is, by its first bytes and its name."""

from __future__ import annotations

from pathlib import PurePath

from desktop.store.records import AttachmentKind

MARKDOWN = frozenset({"md", "markdown", "mdown", "mkd", "rmd", "qmd"})
TABLES = frozenset({"csv", "tsv", "tab"})
LANGUAGES = {
    "bash": "bash",
    "c": "c",
    "cc": "cpp",
    "cfg": "ini",
    "clj": "clojure",
    "cmake": "cmake",
    "cpp": "cpp",
    "cs": "csharp",
    "css": "css",
    "cxx": "cpp",
    "dart": "dart",
    "diff": "diff",
    "dockerfile": "dockerfile",
    "el": "lisp",
    "erl": "erlang",
    "ex": "elixir",
    "exs": "elixir",
    "fs": "fsharp",
    "go": "go",
    "gradle": "groovy",
    "h": "c",
    "hpp": "cpp",
    "hs": "haskell",
    "htm": "html",
    "html": "html",
    "ini": "ini",
    "ipynb": "json",
    "java": "java",
    "jl": "julia",
    "js": "javascript",
    "json": "json",
    "jsonl": "json",
    "jsx": "jsx",
    "kt": "kotlin",
    "lua": "lua",
    "m": "objectivec",
    "makefile": "makefile",
    "mjs": "javascript",
    "ml": "ocaml",
    "patch": "diff",
    "php": "php",
    "pl": "perl",
    "proto": "protobuf",
    "ps1": "powershell",
    "py": "python",
    "pyi": "python",
    "qss": "css",
    "r": "r",
    "rb": "ruby",
    "rs": "rust",
    "scala": "scala",
    "scss": "scss",
    "sh": "bash",
    "sql": "sql",
    "svg": "xml",
    "swift": "swift",
    "tex": "latex",
    "tf": "hcl",
    "toml": "toml",
    "ts": "typescript",
    "tsx": "tsx",
    "vue": "vue",
    "xml": "xml",
    "yaml": "yaml",
    "yml": "yaml",
    "zig": "zig",
    "zsh": "bash",
}
"""Endings of code, and whole names such as Makefile, with the language's name as a code block has it."""

PDF = b"%PDF-"
ZIP = b"PK\x03\x04"
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
"""A .doc; also the wrapping of a .docx with a password."""

MAGIC_BYTES = 1024


def kind_of(name: str, head: bytes) -> AttachmentKind:
    """`head` is the file's first `MAGIC_BYTES`. A file that is neither a document nor code is taken as text."""
    if PDF in head[:MAGIC_BYTES]:
        return "pdf"
    if head.startswith(ZIP) or (head.startswith(OLD_OFFICE) and ending(name) == "docx"):
        return "docx"
    if ending(name) in MARKDOWN:
        return "markdown"
    if ending(name) in TABLES:
        return "csv"
    return "code" if language_of(name) else "text"


def language_of(name: str) -> str:
    """The language that a code block of this file is marked with, "" for none."""
    return LANGUAGES.get(ending(name), "")


def ending(name: str) -> str:
    """In lower case, without the dot; the whole name where it has none."""
    path = PurePath(name)
    return (path.suffix.removeprefix(".") or path.name).lower()
