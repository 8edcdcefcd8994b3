"""Texts about what computes a model: graphics cards or the processor. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.platform.number_format import counted
from engine.devices.offload import Offload

translate = QCoreApplication.translate


def placement(offload: Offload, *, is_approximate: bool = False) -> str:
    """What computes a model, in a few words."""
    if not offload.n_layers:
        return translate("models", "on the processor")
    if offload.n_cpu_experts:
        return translate("models", "experts on the processor")
    if offload.is_whole:
        return translate("models", "on the card") if len(offload.devices) == 1 else _on_cards(len(offload.devices))
    if is_approximate:
        return translate("models", "partly on the card")
    return translate("models", "{n} of {all} layers on the card").format(n=offload.n_layers, all=offload.n_all)


def _on_cards(n_cards: int) -> str:
    return counted("on %Ln cards", "", n_cards)


def placement_sentence(offload: Offload) -> str:
    """What computes a model, as a sentence."""
    if not offload.n_layers:
        return translate("models", "The processor computes the model.")
    if offload.is_whole:
        return translate("models", "The graphics card computes the model.")
    names = {"n": offload.n_layers, "all": offload.n_all, "experts": offload.n_cpu_experts}
    if not offload.n_cpu_experts:
        text = translate("models", "{n} of {all} layers are on the graphics card, the processor computes the others.")
    elif offload.n_layers == offload.n_all:
        text = translate(
            "models", "The model is on the graphics card, except for the experts of {experts} layers on the processor."
        )
    else:
        text = translate(
            "models",
            "{n} of {all} layers are on the graphics card; the processor computes the others and the experts of "
            "{experts} layers.",
        )
    return text.format(**names)


def fewer_layers(offload: Offload, n_wanted: int) -> str:
    """Says that fewer layers were loaded on a card than `n_wanted`; "" if that is 0."""
    if not n_wanted:
        return ""
    text = translate("models", "The card had too little memory: {n} instead of {wanted} layers are on it.")
    return text.format(n=offload.n_layers, wanted=n_wanted)
