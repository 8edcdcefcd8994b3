"""Reads the user guide: Markdown files in resources/guide, one for each topic and language."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.platform.theme import Scheme

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "guide"
PICTURES = FOLDER / "pictures"
"""Has a folder for each colour scheme, with the same file names."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`text` is Markdown; its first line is a heading, and its pictures have the paths of the guide's files."""

    id: str
    title: str
    text: str

    def text_in(self, scheme: Scheme) -> str:
        """The text with absolute paths of the pictures of this colour scheme."""
        return self.text.replace("](pictures/", f"]({PICTURES.as_posix()}/{scheme}/")


def topics(language: str) -> list[Topic]:
    """The topics in their order, in English if there is no guide for `language` (for example "de"). Raises OSError."""
    folder = FOLDER / language
    if not folder.is_dir():
        folder = FOLDER / "en"
    return [_topic(path) for path in sorted(folder.glob("*.md"))]


def _topic(path: Path) -> Topic:
    text = path.read_text(encoding="utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    return Topic(path.stem.partition("-")[2], title, text)
