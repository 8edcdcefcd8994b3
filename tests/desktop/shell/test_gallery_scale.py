"""Takes the screenshots of the gallery at a scale of 200 %, in build/gallery/200.

They are taken by another process, because Qt has one scale for each process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImageReader

from tests.desktop.shell.test_gallery import GALLERY

ROOT = Path(__file__).parents[3]
PAGES = {
    "test_gallery": ("chat", "greeting"),
    "test_gallery_sidebar": ("folders", "several"),
    "test_gallery_transcript": ("learned", "beside"),
    "test_gallery_models": ("models",),
    "test_gallery_endpoint": ("endpoint-on",),
}


@pytest.mark.skipif("QT_SCALE_FACTOR" in os.environ, reason="these are the pictures")
@pytest.mark.timeout(240)
def test_screenshots_at_200_percent_scale_are_saved() -> None:
    folder = GALLERY / "200"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "light",
        *(str(next((ROOT / "tests").rglob(f"{module}.py"))) for module in PAGES),
    ]
    scaled = {**os.environ, "QT_SCALE_FACTOR": "2", "INGLENOOK_GALLERY": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=scaled, capture_output=True, text=True, timeout=230)
    assert done.returncode == 0, done.stdout
    for page in (page for pages in PAGES.values() for page in pages):
        size = QImageReader(str(folder / f"{page}-light-1100.png")).size()
        assert (size.width(), size.height()) == (2200, 1500), page
