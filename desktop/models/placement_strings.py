"""Texts about what computes a model: graphics cards or the processor. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.platform.number_format import counted
from engine.devices.offload import Offload

translate = QCoreApplication.translate


def placement(offload: Offload, *, is_approximate: bool = False) -> str:
    """What computes a model, in a few words."""
    is_several = len(offload.devices) > 1
    if not offload.n_layers:
        return translate("models", "on the processor")
    if offload.n_cpu_experts:
        return translate("models", "experts on the processor")
    if offload.is_whole:
        return counted("on %Ln cards", "", len(offload.devices)) if is_several else translate("models", "on the card")
    if is_approximate:
        return translate("models", "partly on the cards") if is_several else translate("models", "partly on the card")
    if is_several:
        text = translate("models", "{n} of {all} layers on the cards")
    else:
        text = translate("models", "{n} of {all} layers on the card")
    return text.format(n=offload.n_layers, all=offload.n_all)


def placement_sentence(offload: Offload) -> str:
    """What computes a model, as a sentence."""
    if not offload.n_layers:
        return translate("models", "The processor computes the model.")
    cards = cards_of(offload)
    if offload.is_whole:
        text = translate("models", "All layers are on {cards}.")
    elif not offload.n_cpu_experts:
        text = translate("models", "{n} of {all} layers are on {cards}; the processor computes the others.")
    elif offload.n_layers == offload.n_all:
        text = translate(
            "models", "All layers are on {cards}; the processor computes the experts of {experts} of them."
        )
    else:
        text = translate(
            "models",
            "{n} of {all} layers are on {cards}; the processor computes the others and the experts of "
            "{experts} layers.",
        )
    return text.format(cards=cards, n=offload.n_layers, all=offload.n_all, experts=offload.n_cpu_experts)


def cards_of(offload: Offload) -> str:
    """The cards that compute a model, for a sentence in which something is "on" them."""
    return translate("models", "the cards") if len(offload.devices) > 1 else translate("models", "the card")


def fewer_layers(offload: Offload, n_wanted: int) -> str:
    """Says that fewer layers were loaded on a card than `n_wanted`; "" if that is 0."""
    if not n_wanted:
        return ""
    if not offload.n_layers:
        return translate("models", "The card could not be used: the processor computes the model.")
    text = translate("models", "The card had too little memory: {n} instead of {wanted} layers are on it.")
    return text.format(n=offload.n_layers, wanted=n_wanted)
