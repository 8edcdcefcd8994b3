"""The language of the user interface: translations of our texts and of Qt's, format of numbers and dates.

Translations are in `resources/translations`: `make translations` compiles each `.ts` file to a `.qm` file. English has
them too, for plurals.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Literal

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from desktop.platform.theme import RESOURCES

LanguageChoice = Literal["system", "en", "de"]

log = logging.getLogger(__name__)

TRANSLATIONS = RESOURCES / "translations"

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""Names of the languages in themselves."""

_OURS = "language"


def language_for(choice: LanguageChoice, wanted: Iterable[str]) -> str:
    """The chosen language, else the first of `wanted` (such as "de-AT") that is supported, else English."""
    if choice != "system":
        return choice
    spoken = (tag.replace("_", "-").partition("-")[0] for tag in wanted)
    return next((language for language in spoken if language in LANGUAGES), "en")


def install_translators(application: QCoreApplication, choice: LanguageChoice) -> str:
    """Sets the language of widgets that are made from now on, and returns its code. GUI thread."""
    system = QLocale.system()
    language = language_for(choice, system.uiLanguages())
    # The system's formats of numbers and dates, if it has the same language: those of Austria, for example.
    own = system.language() == QLocale(language).language()
    QLocale.setDefault(system if own else QLocale(language))
    for before in application.findChildren(QTranslator, _OURS):
        application.removeTranslator(before)
        before.deleteLater()
    _install(application, f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    _install(application, f"inglenook_{language}", str(TRANSLATIONS))
    return language


def _install(application: QCoreApplication, name: str, folder: str) -> None:
    translator = QTranslator(application)
    translator.setObjectName(_OURS)
    if translator.load(name, folder):
        application.installTranslator(translator)
    else:
        log.warning("there is no %s.qm in %s", name, folder)
