"""Determines the kind of an attached file from its first bytes and its name."""

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
"""Language of the Markdown code block for a file, by its extension in lower case. A file without extension is found by
its whole name, such as "makefile", in lower case."""

PDF = b"%PDF-"
ZIP = b"PK\x03\x04"
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
"""First bytes of .doc files, and of .docx files that are protected by a password."""

MAGIC_BYTES = 1024


def kind_of(name: str, head: bytes) -> AttachmentKind:
    """Kind of the file whose first `MAGIC_BYTES` bytes are `head`. A file of an unknown kind counts as text."""
    if PDF in head[:MAGIC_BYTES]:
        return "pdf"
    if head.startswith(ZIP) or (head.startswith(OLD_OFFICE) and extension(name) == "docx"):
        return "docx"
    if extension(name) in MARKDOWN:
        return "markdown"
    if extension(name) in TABLES:
        return "csv"
    return "code" if language_of(name) else "text"


def language_of(name: str) -> str:
    """Language of the Markdown code block for this file; "" if it is not code."""
    return LANGUAGES.get(extension(name), "")


def extension(name: str) -> str:
    """Extension of a file name, in lower case and without the dot. A name without extension is returned whole."""
    path = PurePath(name)
    return (path.suffix.removeprefix(".") or path.name).lower()
