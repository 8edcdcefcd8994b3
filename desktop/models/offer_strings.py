"""Texts of the offer to download a model. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.models import strings
from desktop.models.model_offer import OfferedModel
from desktop.platform.number_format import size

translate = QCoreApplication.translate


def title(offered: OfferedModel) -> str:
    match offered.stage:
        case "offered":
            return translate("models", "{name} suits this computer best").format(name=offered.entry.name)
        case "downloading":
            return translate("models", "Download of {name}").format(name=offered.entry.name)
        case _:
            return translate("models", "{name} was downloaded").format(name=offered.entry.name)


def text(offered: OfferedModel) -> str:
    """What the user agrees to: size, licence, source, and what the model needs; or the progress of the download."""
    if offered.stage == "downloaded":
        if offered.is_first:
            return translate("models", "It is on this computer now, and answers without a network.")
        return translate("models", "Loading it replaces the included model in memory. Your chats are not affected.")
    if offered.stage == "downloading":
        return strings.download_state(offered.download) if offered.download is not None else ""
    if offered.is_first:
        reason = translate("models", "There is no model yet. This one is downloaded once, then it answers offline.")
    else:
        reason = translate(
            "models", "It is much more capable than the included model, which goes on answering meanwhile."
        )
    entry, fit = offered.entry, offered.fit
    needs = translate("models", "Needs about {needed} of memory and generates {speed} here.")
    source = translate("models", "Source: huggingface.co/{repo}. Licence: {licence}.")
    source = source.format(repo=entry.repo, licence=strings.licence(entry.licence))
    return f"{reason} {needs.format(needed=size(fit.needed), speed=strings.speed(fit))}\n{source}"


def main_button(offered: OfferedModel) -> str:
    """Label of the main button of the offer; "" if it has none."""
    if offered.stage == "downloaded":
        return translate("models", "Load it")
    download = offered.download
    if offered.stage == "downloading" and (download is None or download.is_active):
        return ""
    if download is not None and download.n_bytes:
        return translate("models", "Continue download")
    if offered.has_failed:
        return translate("models", "Try again")
    shown = strings.download_size(offered.entry.size_bytes, is_exact=offered.entry.is_size_exact)
    return translate("models", "Download ({size})").format(size=shown)


def declines(offered: OfferedModel) -> bool:
    """Whether the other button withdraws the offer. Otherwise it shows the models page."""
    return offered.stage != "downloading" or offered.has_failed


def other_button(offered: OfferedModel) -> str:
    return translate("models", "Not now") if declines(offered) else translate("models", "Show the models")
