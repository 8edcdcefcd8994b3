"""The user guide: Markdown files in resources/guide, one for each topic, by language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.platform.theme import Scheme

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "guide"
PICTURES = FOLDER / "pictures"
"""A folder for each scheme, with the same names in both."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`text` is Markdown with a heading for its first line; its pictures are named as in the guide's files."""

    id: str
    title: str
    text: str

    def text_in(self, scheme: Scheme) -> str:
        """The text with the pictures of this scheme, named by absolute paths."""
        return self.text.replace("](pictures/", f"]({PICTURES.as_posix()}/{scheme}/")


def topics(language: str) -> list[Topic]:
    """In their order; in English where `language` ("de", say) has no guide. Raises OSError where files are missing."""
    folder = FOLDER / language
    if not folder.is_dir():
        folder = FOLDER / "en"
    return [_topic(path) for path in sorted(folder.glob("*.md"))]


def _topic(path: Path) -> Topic:
    text = path.read_text(encoding="utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    return Topic(path.stem.partition("-")[2], title, text)
