"""Formats numbers and plurals in the language of the user interface. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale

translate = QCoreApplication.translate


def counted(text: str, disambiguation: str, n: int) -> str:
    """Translates a sentence into its plural form for `n`, which replaces `%Ln`.

    Functions outside of classes use it, because they have no `tr`. They cannot use `translate(…, n)`, in which lupdate
    finds no plurals. lupdate is configured to read `counted` as `tr` with an empty context."""
    return QCoreApplication.translate("", text, disambiguation, n)


def whole(n: int) -> str:
    """An integer with group separators: 1,240 in English, 1.240 in German."""
    return QLocale().toString(n)


def decimal(value: float, digits: int = 1) -> str:
    """A number with `digits` decimals: 1,240.5 in English, 1.240,5 in German."""
    return QLocale().toString(float(value), "f", digits)


def plain(value: float) -> str:
    """A number without trailing zeros: 0.7, 1, 4,294,967,295."""
    return QLocale().toString(float(value), "g", 12)


def size(n_bytes: float) -> str:
    """A number of bytes, of a file or of memory: 6.6 GB, 98 MB. A GB is 10⁹ bytes, as in file managers and on the hub.
    All sizes on the screen are texts of this function."""
    if n_bytes >= 99.5e9:
        return translate("numbers", "{size} GB").format(size=whole(round(n_bytes / 1e9)))
    if n_bytes >= 0.9995e9:
        return translate("numbers", "{size} GB").format(size=decimal(n_bytes / 1e9))
    return translate("numbers", "{size} MB").format(size=whole(round(n_bytes / 1e6)))


def short(n: int) -> str:
    """A short approximate number: 2.1 M, 310 k, 88."""
    if n >= 999_500:
        return translate("numbers", "{n} M").format(n=_scaled(n / 1_000_000))
    if n >= 1_000:
        return translate("numbers", "{n} k").format(n=_scaled(n / 1_000))
    return str(n)


def _scaled(value: float) -> str:
    return decimal(value, 1 if value < 10 else 0)
