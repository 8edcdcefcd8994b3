"""The language of the window: its words, Qt's own words, and how numbers and days are written.

The words lie in `resources/translations`: each `.qm` is made of the `.ts` beside it by `make translations`. English
has a file too, for its plurals alone.
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
"""Each by the name that it has for itself."""

_OURS = "language"


def language_for(choice: LanguageChoice, wanted: Iterable[str]) -> str:
    """The chosen one, else the first of `wanted` ("de-AT", "en") that there is, else English."""
    if choice != "system":
        return choice
    spoken = (tag.replace("_", "-").partition("-")[0] for tag in wanted)
    return next((language for language in spoken if language in LANGUAGES), "en")


def install_translators(application: QCoreApplication, choice: LanguageChoice) -> str:
    """From here on, what is made speaks this language; what stands already does not change. GUI thread."""
    system = QLocale.system()
    language = language_for(choice, system.uiLanguages())
    # The system's own way of writing numbers and days, where it is of this language: Austria's, say.
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
