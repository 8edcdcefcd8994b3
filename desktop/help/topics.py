"""Reads the user guide: Markdown files in resources/guide, one for each topic and language."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.platform.theme import Scheme

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "guide"
PICTURES = FOLDER / "pictures"
"""Folder that contains one folder of pictures for each colour scheme. A picture has the same file name in each of these
folders."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the user guide. `text` is Markdown as in the file: a heading first, and relative paths of pictures."""

    id: str
    title: str
    text: str

    def text_in(self, scheme: Scheme) -> str:
        """The text with each relative path replaced by the absolute path of the picture for this colour scheme."""
        return self.text.replace("](pictures/", f"]({PICTURES.as_posix()}/{scheme}/")


def topics(language: str) -> list[Topic]:
    """The topics of the guide for `language` (for example "de") in reading order; the English topics if there is no
    guide in that language. Raises OSError."""
    folder = FOLDER / language
    if not folder.is_dir():
        folder = FOLDER / "en"
    return [_topic(path) for path in sorted(folder.glob("*.md"))]


def _topic(path: Path) -> Topic:
    text = path.read_text(encoding="utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    return Topic(path.stem.partition("-")[2], title, text)
