"""The appearance of the app: named colours for the light and the dark scheme, and style sheets and icons that use
them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPainter, QPalette, QPixmap, QScreen
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

ThemeChoice = Literal["system", "light", "dark"]
STYLE_ARGUMENTS = ("-style", "Fusion")
"""Command line arguments for the QApplication. The style is not set by `setStyle`, because that function returns the
style, and PySide takes 5 ms to create the class of that object."""
TEXT_SIZE = 13
"""The default size of interface text, in pixels."""

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
TEXT_FAMILIES = ("Inter", "Inter Variable", "Segoe UI Variable Text", "Segoe UI", "SF Pro Text", "Cantarell")
CODE_FAMILIES = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "Menlo", "Consolas", "DejaVu Sans Mono")
ICON_SIZE = 16
TEXT_SIZES = (11, 12, 13, 14, 15, 16, 18, 20)
"""Sizes of interface text that the user can choose, in pixels. Widgets that paint their text themselves have enough
space for the largest size."""

_SCALED = re.compile(r"(font-size|line-height|(?:min-|max-)?height|border-radius): (\d+)px")
_HAIRLINE = 10
"""In pixels. A smaller height in a style sheet is the thickness of a line. It is not scaled with the text size."""

Scheme = Literal["light", "dark"]


def zoom() -> float:
    """The current text size, read from the application's font, relative to the default text size."""
    base = QFont().pixelSize()
    return base / TEXT_SIZE if base > 0 else 1.0


def scaled(pixels: float) -> int:
    """A length in pixels at the current text size. `pixels` is the length at the default text size."""
    return round(pixels * zoom())


def text_font(pixel_size: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The interface font, scaled to the current text size. `pixel_size` is its size at the default text size."""
    font = QFont()
    font.setFamilies([*TEXT_FAMILIES, font.family()])
    font.setPixelSize(scaled(pixel_size))
    font.setWeight(weight)
    return font


def code_font(pixel_size: int) -> QFont:
    font = QFont()
    font.setFamilies([*CODE_FAMILIES, "monospace"])
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPixelSize(scaled(pixel_size))
    # Ligatures would show characters that are not in the text: ≠ for !=.
    font.setFeature(QFont.Tag("liga"), 0)
    font.setFeature(QFont.Tag("calt"), 0)
    return font


class Theme(QObject):
    """The current colours and text size, applied to the whole application. GUI thread only."""

    changed = Signal()

    def __init__(self, application: QApplication, choice: ThemeChoice = "system", text_size: int = TEXT_SIZE) -> None:
        super().__init__(application)
        self._application = application
        self._tokens: dict[Scheme, dict[str, str]] = json.loads(_read("styles/colours.json"))
        self._choice = choice
        self._scheme: Scheme = "light"
        self._text_size = text_size
        self._icon_scales = _icon_scales()
        self._apply_font()
        application.screenAdded.connect(self._watch_screen)
        for screen in application.screens():
            self._watch_screen(screen)
        application.styleHints().colorSchemeChanged.connect(self._follow)
        self._apply(self._wanted())

    @property
    def scheme(self) -> Scheme:
        return self._scheme

    @property
    def choice(self) -> ThemeChoice:
        return self._choice

    @property
    def text_size(self) -> int:
        """The current size of interface text, in pixels."""
        return self._text_size

    def choose(self, choice: ThemeChoice) -> None:
        self._choice = choice
        self._follow()

    def resize_text(self, text_size: int) -> None:
        """Changes the text size of the whole application."""
        if text_size != self._text_size:
            self._text_size = text_size
            self._apply_font()
            self._apply(self._scheme)
            self.changed.emit()

    def colour(self, token: str) -> QColor:
        return QColor(self._tokens[self._scheme][token])

    def fill(self, template: str) -> str:
        """The template with each `$token` replaced by the colour of that name."""
        return Template(template).substitute(self._tokens[self._scheme])

    def style_of(self, name: str) -> str:
        """A style sheet of `resources/styles`, with the current colours and text size."""
        return _SCALED.sub(_at_size, self.print_style_of(name))

    def print_style_of(self, name: str) -> str:
        """A style sheet for exported pages, with the current colours and the default text size."""
        return self.fill(_read(f"styles/{name}"))

    def paper_style(self) -> str:
        """The style sheet of PDFs: dark text on white."""
        return Template(_read("styles/paper.css")).substitute(self._tokens["light"])

    def icon(self, name: str, token: str = "text", size: int = ICON_SIZE) -> QIcon:
        """An icon of `resources/icons`, drawn in the colour that is named `token`."""
        icon = QIcon()
        for scale in self._icon_scales:
            icon.addPixmap(_drawn(name, self._tokens[self._scheme][token], size, scale))
        return icon

    def pixmap(self, name: str, token: str, size: int, scale: float) -> QPixmap:
        return _drawn(name, self._tokens[self._scheme][token], size, scale)

    def _wanted(self) -> Scheme:
        if self._choice != "system":
            return self._choice
        return "dark" if self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"

    def _follow(self) -> None:
        if self._wanted() != self._scheme:
            self._apply(self._wanted())
            self.changed.emit()

    def _watch_screen(self, screen: QScreen) -> None:
        for changed in (screen.geometryChanged, screen.logicalDotsPerInchChanged):
            changed.connect(self._update_icon_scales)
        self._update_icon_scales()

    def _update_icon_scales(self) -> None:
        if (scales := _icon_scales()) != self._icon_scales:
            self._icon_scales = scales
            self.changed.emit()

    def _apply_font(self) -> None:
        font = text_font(TEXT_SIZE)
        font.setPixelSize(self._text_size)
        self._application.setFont(font)

    def _apply(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._application.setPalette(self._palette())
        self._application.setStyleSheet(self.style_of("window.qss"))

    def _palette(self) -> QPalette:
        palette = QPalette()
        roles = {
            QPalette.ColorRole.Window: "bg",
            QPalette.ColorRole.Base: "surface",
            QPalette.ColorRole.Button: "surface",
            QPalette.ColorRole.ToolTipBase: "surface",
            QPalette.ColorRole.WindowText: "text",
            QPalette.ColorRole.Text: "text",
            QPalette.ColorRole.ButtonText: "text",
            QPalette.ColorRole.ToolTipText: "text",
            QPalette.ColorRole.PlaceholderText: "muted",
            QPalette.ColorRole.Highlight: "selection",
            QPalette.ColorRole.HighlightedText: "text",
            QPalette.ColorRole.Link: "accent",
            QPalette.ColorRole.Accent: "accent",
        }
        for role, token in roles.items():
            palette.setColor(role, self.colour(token))
        return palette


def _icon_scales() -> tuple[int, ...]:
    """The scales at which icons are drawn: also twice the size if a screen has more than one pixel per logical
    pixel."""
    return (1, 2) if any(screen.devicePixelRatio() > 1 for screen in QGuiApplication.screens()) else (1,)


def _at_size(found: re.Match[str]) -> str:
    name, pixels = found[1], int(found[2])
    if name == "border-radius":  # Qt ignores a radius of more than half of the height of the box
        return f"{name}: {min(pixels, scaled(pixels))}px"
    return found[0] if pixels < _HAIRLINE else f"{name}: {scaled(pixels)}px"


@cache
def _read(name: str) -> str:
    return (RESOURCES / name).read_text(encoding="utf-8")


@cache
def _drawn(name: str, colour: str, size: int, scale: float) -> QPixmap:
    svg = _read(f"icons/{name}.svg").replace("currentColor", colour)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    pixmap = QPixmap(QSize(size, size) * scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size * scale, size * scale))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap
