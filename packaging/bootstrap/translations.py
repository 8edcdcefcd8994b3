"""The words of the window in other languages: `.ts` files brought up to the sources, `.qm` files made of them.

English is written in the sources; its file holds plurals alone.
"""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from .errors import SetupError
from .places import BIN, BUILD, ROOT

FOLDER = ROOT / "resources" / "translations"
SOURCES = ROOT / "desktop"
OPTIONS: dict[str, tuple[str, ...]] = {"en": ("-pluralonly",), "de": ()}
"""What lupdate is told of each language."""
ALIASES = ("-tr-function-alias", "tr+=counted")
"""What calls lupdate takes for `tr` besides: see desktop.platform.number_format."""

TIMEOUT_S = 60


def gather(folder: Path, sources: Path = SOURCES) -> None:
    """Brings the `.ts` files in `folder` up to `sources`: new strings are in them, unfinished; old ones are gone."""
    BUILD.mkdir(exist_ok=True)
    names = BUILD / "translated-sources.txt"
    names.write_text("\n".join(map(str, sorted(sources.rglob("*.py")))), encoding="utf-8")
    how = (
        "-tr-function-alias",
        "tr+=counted",
        "-silent",
        "-no-obsolete",
        "-locations",
        "none",
        "-source-language",
        "en",
    )
    for language, options in OPTIONS.items():
        # The list and the file are named last: lupdate takes what follows -ts for files to write.
        _run("pyside6-lupdate", *how, *options, f"@{names}", "-ts", str(_ts(folder, language)))


def release(folder: Path) -> None:
    """Makes the `.qm` files, which hold what is finished."""
    for language in OPTIONS:
        path = _ts(folder, language)
        _run("pyside6-lrelease", "-silent", str(path), "-qm", str(path.with_suffix(".qm")))


def unfinished(folder: Path) -> Iterator[str]:
    """Each string that is still to be translated, with its language and its context."""
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
        # Of some sources that it does not understand, lupdate makes an endless loop.
        done = subprocess.run([BIN / tool, *args], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise SetupError(f"{tool} did not end within {TIMEOUT_S} s.") from None
    if done.returncode != 0:
        raise SetupError(f"{tool} failed:\n{done.stdout}{done.stderr}")
