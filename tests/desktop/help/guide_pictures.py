"""Creates the guide's pictures from screenshots: `python -m tests.desktop.help.guide_pictures`, after the gallery
tests."""

from __future__ import annotations

from collections import Counter

from PySide6.QtGui import QImage

from desktop.help.topics import PICTURES
from tests.desktop.shell.test_gallery import GALLERY

SOURCES = {"chat": "chat", "words": "words", "models": "models", "endpoint": "endpoint-on"}


def main() -> None:
    for scheme in ("light", "dark"):
        (PICTURES / scheme).mkdir(parents=True, exist_ok=True)
        for name, source in SOURCES.items():
            image = QImage(str(GALLERY / f"{source}-{scheme}-1100.png"))
            _few_colours(image).save(str(PICTURES / scheme / f"{name}.png"))


def _few_colours(image: QImage) -> QImage:
    """Reduce to the 256 most frequent colours, so that the file is small; every installer contains it."""
    seen = Counter(image.pixel(x, y) for x in range(image.width()) for y in range(image.height()))
    return image.convertToFormat(QImage.Format.Format_Indexed8, [colour for colour, _ in seen.most_common(256)])


if __name__ == "__main__":
    main()
