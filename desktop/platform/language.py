"""Sets the language of the user interface: translations of the app's and Qt's texts, formats of numbers and dates.

Translations are in `resources/translations`: `make translations` compiles each `.ts` file to a `.qm` file. English has
a translation file too, for plural forms.
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
"""Each supported language by its code, with its name in that language."""

_OURS = "language"


def language_for(choice: LanguageChoice, wanted: Iterable[str]) -> str:
    """The code of the language to use: the language that the user chose, else the first supported language of `wanted`,
    else "en". `wanted` contains language tags, for example "de-AT"."""
    if choice != "system":
        return choice
    spoken = (tag.replace("_", "-").partition("-")[0] for tag in wanted)
    return next((language for language in spoken if language in LANGUAGES), "en")


def install_translators(application: QCoreApplication, choice: LanguageChoice) -> str:
    """Sets the language of all widgets that are created later, and returns its code. GUI thread only."""
    system = QLocale.system()
    language = language_for(choice, system.uiLanguages())
    # If the system has the same language, its regional formats of numbers and dates are used, for example those of
    # Austria.
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
