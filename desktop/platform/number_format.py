"""Formats numbers and plurals in the language of the user interface. GUI thread."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale

translate = QCoreApplication.translate


def counted(text: str, disambiguation: str, n: int) -> str:
    """A translated sentence in the plural form for `n`, which replaces `%Ln`.

    For functions outside of classes, which have no `tr`: lupdate finds no plurals in `translate(…, n)`. It is
    configured to read this as `tr` with an empty context."""
    return QCoreApplication.translate("", text, disambiguation, n)


def whole(n: int) -> str:
    """1,240 in English, 1.240 in German."""
    return QLocale().toString(n)


def decimal(value: float, digits: int = 1) -> str:
    """1,240.5 in English, 1.240,5 in German."""
    return QLocale().toString(float(value), "f", digits)


def plain(value: float) -> str:
    """Without trailing zeros: 0.7, 1, 4,294,967,295."""
    return QLocale().toString(float(value), "g", 12)


def short(n: int) -> str:
    """2.1 M, 310 k, 88."""
    if n >= 999_500:
        return translate("numbers", "{n} M").format(n=_scaled(n / 1_000_000))
    if n >= 1_000:
        return translate("numbers", "{n} k").format(n=_scaled(n / 1_000))
    return str(n)


def _scaled(value: float) -> str:
    return decimal(value, 1 if value < 10 else 0)
