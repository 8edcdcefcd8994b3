"""Tests that the translation files contain all source strings, and that each translation is finished and correct."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from PySide6.QtCore import QTranslator

from desktop.platform.language import LANGUAGES, TRANSLATIONS
from tests.packaging.checkout import ROOT

SAME = frozenset(
    {
        # Names, and words that are the same in English and German.
        *(
            "Name",
            "{model} ({host})",
            "{n} ms",
            "Inglenook",
            "Markdown…",
            "PDF…",
            "Adapter",
            "App",
            "{name}: {facts}",
            "Chat",
            "Chats",
            "Chat: {title}",
            "Prompt",
            "Top P",
            "Top K",
            "Min P",
        ),
        # Texts of units and separators, in which no word needs a translation.
        *(
            "{size}\xa0GB",
            "{size}\xa0MB",
            "{size}/s",
            "{seconds} s",
            "{word}, {percent}",
            "{percent} %",
        ),
    }
)
"""Source strings that are equal in English and German."""

PLACE = re.compile(r"\{\w*\}|%L?n|%\d")


class Words(NamedTuple):
    context: str
    source: str
    comment: str
    plural: bool
    forms: tuple[str, ...]
    unfinished: bool

    @property
    def key(self) -> tuple[str, str, str, bool]:
        return self[:4]


def words_of(path: Path) -> Iterator[Words]:
    for context in ElementTree.parse(path).iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            plural = message.get("numerus") == "yes"
            forms = [form.text or "" for form in translation.findall("numerusform")] if plural else []
            yield Words(
                context.findtext("name") or "",
                message.findtext("source") or "",
                message.findtext("comment") or "",
                plural,
                tuple(forms or [translation.text or ""]),
                translation.get("type") is not None,
            )


def file_of(language: str, folder: Path = TRANSLATIONS) -> Path:
    return folder / f"inglenook_{language}.ts"


def faults(words: Iterable[Words]) -> list[str]:
    """Returns the problems of these translations: a missing translation, or one whose placeholders, start or end differ
    from those of the source."""
    found = []
    for each in words:
        if each.unfinished or not all(form.strip() for form in each.forms):
            found.append(f"not translated: {each.source!r}")
            continue
        for number, form in enumerate(each.forms):
            wanted, there = Counter(PLACE.findall(each.source)), Counter(PLACE.findall(form))
            if each.plural and number == 0:  # the singular form may omit the number
                wanted.pop("%Ln", None)
                there.pop("%Ln", None)
            if wanted != there:
                found.append(f"other places for values: {each.source!r} → {form!r}")
            if (each.source[-1:] in "…\n") != (form[-1:] in "…\n") or each.source[:1].isspace() != form[:1].isspace():
                found.append(f"another beginning or end: {each.source!r} → {form!r}")
        if ("%n" in each.source) or ("%Ln" in each.source) != each.plural:
            found.append(f"no plural, or a number that the language does not write: {each.source!r}")
    return found


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    module = importlib.import_module("bootstrap.translations")
    # The Qt tools are taken from the environment that runs the tests.
    monkeypatch.setattr(module, "BIN", Path(sys.executable).parent)
    return module


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_files_contain_every_source_string(language: str, bootstrap: ModuleType, tmp_path: Path) -> None:
    shutil.copy(file_of(language), tmp_path)
    bootstrap.update(tmp_path)
    said, kept = (
        {each.key for each in words_of(file_of(language, tmp_path))},
        {each.key for each in words_of(file_of(language))},
    )
    assert not said - kept, "`make translations` takes them up"
    assert not kept - said, "`make translations` drops them"


def test_new_source_string_is_reported_as_untranslated(bootstrap: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "sources" / "new.py"
    source.parent.mkdir()
    source.write_text(
        'translate("new", "A word {n}")\ncounted("%Ln words", "", n.size)\nclass A:\n    self.tr("Mine")\n'
    )
    for language in LANGUAGES:
        shutil.copy(file_of(language), tmp_path)
    bootstrap.update(tmp_path, source.parent)
    assert {each.key for each in words_of(file_of("de", tmp_path))} == {
        ("new", "A word {n}", "", False),
        ("", "%Ln words", "", True),
        ("A", "Mine", "", False),
    }
    assert {each.key for each in words_of(file_of("en", tmp_path))} == {("", "%Ln words", "", True)}
    assert [*bootstrap.unfinished(tmp_path)] == [
        "en, : %Ln words",
        "de, : %Ln words",
        "de, A: Mine",
        "de, new: A word {n}",
    ]
    assert len(faults(words_of(file_of("de", tmp_path)))) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_are_finished_and_keep_placeholders(language: str) -> None:
    assert faults(words_of(file_of(language))) == []


def test_check_of_translations_finds_each_kind_of_fault() -> None:
    good = Words("c", "{n} of {all} kept", "", False, ("{all}, davon {n} behalten",), False)
    plural = Words("c", "%Ln chats", "", True, ("ein Chat", "%Ln Chats"), False)
    assert faults([good, plural]) == []
    for bad in (
        good._replace(forms=("{n} behalten",)),
        good._replace(forms=("{n} von {alle} behalten",)),
        good._replace(forms=("",)),
        good._replace(unfinished=True),
        good._replace(source="Save…", forms=("Speichern",)),
        good._replace(source="%n chats", forms=("%n Chats",)),
        plural._replace(forms=("ein Chat", "Chats")),
        plural._replace(forms=("ein Chat", "")),
        plural._replace(plural=False, forms=("%Ln Chats",)),
    ):
        assert len(faults([bad])) >= 1, bad


def test_all_sizes_are_texts_of_one_function() -> None:
    """`number_format.size` is in the context "numbers". Clauses of the engine and of set-up have values with units."""
    found = [each for each in words_of(file_of("de")) if re.search(r"\b[KMGT]i?B\b", each.source)]
    assert {(each.context, each.source) for each in found} == {
        ("numbers", "{size}\xa0GB"),
        ("numbers", "{size}\xa0MB"),
    } | {("reasons", each.source) for each in found if each.context == "reasons"}


def test_only_listed_german_translations_equal_the_source() -> None:
    assert {each.source for each in words_of(file_of("de")) if each.source in each.forms} == SAME


def test_german_translation_does_not_address_the_user() -> None:
    familiar = re.compile(r"\b(du|dich|dir|deine?\w*|Ihre?\w*|Ihnen)\b")
    assert not [form for each in words_of(file_of("de")) for form in each.forms if familiar.search(form)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_translations_match_the_source_files(language: str) -> None:
    """If this fails, run `make translations`."""
    translator = QTranslator()
    assert translator.load(f"inglenook_{language}", str(TRANSLATIONS))
    for each in words_of(file_of(language)):
        numbers = (1, 2) if each.plural else (-1,)
        for n, form in zip(numbers, each.forms, strict=True):
            assert translator.translate(each.context, each.source, each.comment, n) == form


def test_plurals_and_numbers_are_formatted_in_each_language(qapp: object) -> None:
    from PySide6.QtCore import QCoreApplication

    from desktop.platform.language import install_translators
    from desktop.platform.number_format import counted, decimal, plain, short, size, whole

    assert isinstance(qapp, QCoreApplication)
    said = []
    for language in ("en", "de"):
        install_translators(qapp, "en" if language == "en" else "de")
        said.append([counted("%Ln tokens", "", n) for n in (1, 12_345)])
        said.append([size(n_bytes) for n_bytes in (98_400_000, 6.64e9, 122e9)])
        said.append([whole(1_234_567), decimal(2.46), plain(0.7), plain(2.0), short(2_100_000), short(310_400)])
    install_translators(qapp, "en")
    assert said == [
        ["1 token", "12,345 tokens"],
        ["98\xa0MB", "6.6\xa0GB", "122\xa0GB"],
        ["1,234,567", "2.5", "0.7", "2", "2.1 M", "310 k"],
        ["1 Token", "12.345 Tokens"],
        ["98\xa0MB", "6,6\xa0GB", "122\xa0GB"],
        ["1.234.567", "2,5", "0,7", "2", "2,1 Mio.", "310 Tsd."],
    ]
