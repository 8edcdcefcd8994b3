"""Texts of comparisons."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QCoreApplication

from desktop.compare.model_choice import MAX_MODELS, MIN_MODELS
from desktop.platform.number_format import counted

translate = QCoreApplication.translate


def in_window() -> str:
    return translate("compare", "answers in the window now")


def on_this_computer(quantisation: str) -> str:
    place = translate("compare", "on this computer")
    return f"{quantisation} · {place}" if quantisation else place


def hint(n_chosen: int, hosts: Collection[str] = (), *, has_question: bool, is_answering: bool) -> str:
    """Why the comparison cannot begin, or what it will do."""
    if n_chosen < MIN_MODELS:
        return counted("Choose %Ln models or more.", "", MIN_MODELS)
    if is_answering:
        return translate("compare", "An answer is being written in this chat.")
    if not has_question:
        return translate("compare", "Write a question first.")
    if hosts:
        return translate("compare", "This chat is sent to {hosts}.").format(hosts=", ".join(sorted(set(hosts))))
    if n_chosen >= MAX_MODELS:
        return counted("At most %Ln models can be compared.", "", MAX_MODELS)
    return translate("compare", "Models that do not fit into memory together answer one after the other.")
