"""Creates the pictures of the user guide from screenshots, which the gallery tests take.

Run `python -m tests.desktop.help.guide_pictures` after the gallery tests."""

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
    """The picture with at most 256 colours. The file must be small, because every installer contains it."""
    seen = Counter(image.pixel(x, y) for x in range(image.width()) for y in range(image.height()))
    return image.convertToFormat(QImage.Format.Format_Indexed8, [colour for colour, _ in seen.most_common(256)])


if __name__ == "__main__":
    main()
