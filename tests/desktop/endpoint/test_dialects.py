"""Tests of the list of API dialects on the endpoint page."""

from __future__ import annotations

import re

from PySide6.QtWidgets import QLabel

from desktop.endpoint.address_card import AddressCard
from desktop.endpoint.dialects import DIALECTS
from desktop.platform.theme import Theme
from tests.packaging.checkout import ROOT


def test_card_lists_each_dialect_with_its_routes(theme: Theme) -> None:
    card = AddressCard(theme)
    chips = {chip.text(): chip for chip in card.findChildren(QLabel, "chip")}
    assert [*chips] == ["OpenAI", "Responses", "Anthropic", "Ollama", "llama.cpp"]
    assert "/completion" in chips["llama.cpp"].toolTip().splitlines()
    assert "/completion" in chips["llama.cpp"].accessibleDescription()


def test_listed_routes_are_documented_routes() -> None:
    documented = set(re.findall(r"`(/[^`]*)`", (ROOT / "docs" / "api.md").read_text(encoding="utf-8")))
    assert [route for routes in DIALECTS.values() for route in routes if route not in documented] == []
