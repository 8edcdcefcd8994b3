"""The German texts address nobody."""

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
