"""The user guide: Markdown files in resources/guide, one for each topic, by language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "guide"
PICTURES = FOLDER / "pictures"


@dataclass(frozen=True, slots=True)
class Topic:
    """`text` is Markdown with a heading for its first line; its pictures are named by absolute paths."""

    id: str
    title: str
    text: str


def topics(language: str) -> list[Topic]:
    """In their order; in English where `language` ("de", say) has no guide. Raises OSError where files are missing."""
    folder = FOLDER / language
    if not folder.is_dir():
        folder = FOLDER / "en"
    return [_topic(path) for path in sorted(folder.glob("*.md"))]


def _topic(path: Path) -> Topic:
    text = path.read_text(encoding="utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    return Topic(path.stem.partition("-")[2], title, text.replace("](pictures/", f"]({PICTURES.as_posix()}/"))
