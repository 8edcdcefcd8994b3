"""The German texts address nobody, and use one word for each thing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from tests.packaging.checkout import ROOT

ADDRESS = re.compile(r"\b(Ihr|Ihre[mnrs]?|Ihnen)\b|(?<=[\wäöüß,] )Sie\b|\b(dein|deine[mnrs]?|dir|dich|euch|euer)\b")
"""Words that address the reader. "Sie" at the beginning of a sentence can also mean a thing or other people."""


def german_texts() -> Iterator[str]:
    for page in sorted((ROOT / "resources" / "guide" / "de").glob("*.md")):
        yield from page.read_text(encoding="utf-8").splitlines()
    tree = ElementTree.parse(ROOT / "resources" / "translations" / "inglenook_de.ts")
    for translation in tree.iter("translation"):
        yield "".join(translation.itertext())


def test_german_texts_do_not_address_the_reader() -> None:
    texts = list(german_texts())
    assert len(texts) > 500
    assert [text for text in texts if ADDRESS.search(text)] == []


OTHER_WORDS = {
    "Computer": r"Rechner(n|s)?\b",
    "Datenträger": r"\b(Festp|P)latte",
    "Arbeitsspeicher": r"Hauptspeicher|\bRAM\b",
    "Embeddings": r"Einbettung",
    "Tokens": r"\b(mehrere[nr]?|viele|weniger|keine|die|alle|[2-9]) Token\b",
    "Gespräch": r"Unterhaltung",
    "Knopf": r"Schaltfläche",
}
"""Words that the German texts do not use, by the word that they use instead."""


def test_german_texts_use_one_word_for_each_thing() -> None:
    found = [(word, text) for text in german_texts() for word, other in OTHER_WORDS.items() if re.search(other, text)]
    assert found == []
