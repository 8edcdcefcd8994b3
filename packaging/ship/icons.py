"""The program's icon: the flame from resources/icons on a coloured tile, as SVG, PNG, ICO and ICNS."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from pathlib import Path

from bootstrap.paths import ROOT

from .paths import ICONS, PYTHON

SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
_ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
_ICNS_TYPES = {16: b"icp4", 32: b"icp5", 64: b"icp6", 128: b"ic07", 256: b"ic08", 512: b"ic09"}

_DRAW = """
import sys
from pathlib import Path
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
application = QGuiApplication(["icons", "-platform", "offscreen"])
renderer = QSvgRenderer(sys.argv[1])
for size in map(int, sys.argv[2:]):
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    assert image.save(str(Path(sys.argv[1]).with_name(f"{size}.png")))
"""


def tile(flame: str, accent: str, on_accent: str) -> str:
    """The icon as SVG. `flame` is a single-colour SVG icon, whose path is drawn on the tile."""
    path = re.search(r"<path[^>]*/>", flame)
    if path is None:
        raise ValueError("the icon has no path")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128" viewBox="0 0 128 128">'
        f'<rect x="8" y="8" width="112" height="112" rx="26" fill="{accent}"/>'
        f'<g transform="translate(22 20) scale(3.5)" fill="none" stroke="{on_accent}" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round">{path[0]}</g></svg>\n'
    )


def ico(pngs: dict[int, bytes]) -> bytes:
    """Packs PNG images into an ICO file."""
    head, body = struct.pack("<HHH", 0, 1, len(pngs)), b""
    offset = len(head) + 16 * len(pngs)
    for size, png in sorted(pngs.items()):
        # the size is stored in one byte, where 0 means 256 pixels
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(png), offset + len(body))
        body += png
    return head + body


def icns(pngs: dict[int, bytes]) -> bytes:
    """Packs PNG images into an ICNS file. Each image is preceded by its type and length."""
    body = b"".join(
        _ICNS_TYPES[size] + struct.pack(">I", 8 + len(png)) + png
        for size, png in sorted(pngs.items())
        if size in _ICNS_TYPES
    )
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def make() -> None:
    """Renders all icons into build/ship/icons."""
    ICONS.mkdir(parents=True, exist_ok=True)
    colours = json.loads((ROOT / "resources/styles/colours.json").read_text(encoding="utf-8"))
    flame = (ROOT / "resources/icons/flame.svg").read_text(encoding="utf-8")
    svg = ICONS / "inglenook.svg"
    svg.write_text(tile(flame, colours["light"]["accent"], colours["light"]["on_accent"]), encoding="utf-8")
    subprocess.run([PYTHON, "-c", _DRAW, svg, *map(str, SIZES)], check=True)
    pngs = {size: png(size).read_bytes() for size in SIZES}
    (ICONS / "inglenook.ico").write_bytes(ico({size: pngs[size] for size in _ICO_SIZES}))
    (ICONS / "inglenook.icns").write_bytes(icns(pngs))


def png(size: int) -> Path:
    return ICONS / f"{size}.png"
