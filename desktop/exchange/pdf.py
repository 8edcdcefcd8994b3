"""A page of HTML as a PDF."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF
from PySide6.QtGui import QPageLayout, QPageSize, QPdfWriter, QTextDocument

MARGIN_MM = 20
DPI = 96


def write_pdf(page: str, title: str, path: Path) -> None:
    """Any thread, as long as a QGuiApplication lives. Raises OSError."""
    with path.open("wb"):  # says what is wrong with the place; QPdfWriter would only be silent
        pass
    writer = QPdfWriter(str(path))
    writer.setTitle(title)
    writer.setResolution(DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM), QPageLayout.Unit.Millimeter)
    document = QTextDocument()
    document.setDocumentMargin(0)
    document.setHtml(page)
    document.print_(writer)
