"""Translations of the window: updates the `.ts` files from the sources, and compiles them into `.qm` files.

The English texts are in the sources; the English file contains only plurals.
"""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from .errors import SetupError
from .paths import BIN, BUILD, ROOT

FOLDER = ROOT / "resources" / "translations"
SOURCES = ROOT / "desktop"
OPTIONS: dict[str, tuple[str, ...]] = {"en": ("-pluralonly",), "de": ()}
"""The options of lupdate by language."""
ALIASES = ("-tr-function-alias", "tr+=counted")
"""Makes lupdate treat the functions in desktop.platform.number_format like `tr`."""

TIMEOUT_S = 60


def update(folder: Path, sources: Path = SOURCES) -> None:
    """Updates the `.ts` files in `folder` from `sources`. New strings are added as unfinished, and strings that are no
    longer in any source are removed."""
    BUILD.mkdir(exist_ok=True)
    names = BUILD / "translated-sources.txt"
    names.write_text("\n".join(map(str, sorted(sources.rglob("*.py")))), encoding="utf-8")
    lupdate_options = (
        *ALIASES,
        "-silent",
        "-no-obsolete",
        "-locations",
        "none",
        "-source-language",
        "en",
    )
    for language, options in OPTIONS.items():
        # The sources are given before -ts, since lupdate treats all arguments after -ts as output files.
        _run("pyside6-lupdate", *lupdate_options, *options, f"@{names}", "-ts", str(_ts(folder, language)))


def compile_translations(folder: Path) -> None:
    """Compiles the finished translations into `.qm` files."""
    for language in OPTIONS:
        path = _ts(folder, language)
        _run("pyside6-lrelease", "-silent", str(path), "-qm", str(path.with_suffix(".qm")))


def unfinished(folder: Path) -> Iterator[str]:
    """The strings without a finished translation, with language and context."""
    for language in OPTIONS:
        for context in ElementTree.parse(_ts(folder, language)).iter("context"):
            for message in context.iter("message"):
                translation = message.find("translation")
                if translation is None or translation.get("type") == "unfinished":
                    yield f"{language}, {context.findtext('name')}: {message.findtext('source')}"


def _ts(folder: Path, language: str) -> Path:
    return folder / f"inglenook_{language}.ts"


def _run(tool: str, *args: str) -> None:
    try:
        # lupdate hangs on some sources that it cannot parse.
        done = subprocess.run([BIN / tool, *args], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise SetupError(f"{tool} did not end within {TIMEOUT_S} s.") from None
    if done.returncode != 0:
        raise SetupError(f"{tool} failed:\n{done.stdout}{done.stderr}")
