"""Checks that the profile is writable before any of its files is opened. If not, the user can choose another folder."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from desktop.platform.surrogates import well_formed
from desktop.startup.options import Options
from engine.files.profile import Profile

log = logging.getLogger(__name__)
translate = QCoreApplication.translate

PROBE = ".write-test"


def check_writable(profile: Profile) -> None:
    """Creates the folder of the profile, and creates and deletes a file in it. Raises OSError if the profile is not
    writable."""
    probe = profile.ensure().root / PROBE
    probe.unlink(missing_ok=True)  # if an earlier process was killed, the file may already exist
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    probe.unlink()


def writable(options: Options) -> Options | None:
    """Lets the user choose another folder until the profile is writable, and returns the options with the chosen
    folder. None if the user chose to quit.

    GUI thread only, before any event loop runs."""
    while True:
        try:
            check_writable(options.profile)
        except OSError as error:
            log.error("the profile cannot be written", exc_info=error)
            chosen = _ask(options.profile.root, error)
            if chosen is None:
                return None
            options = replace(options, profile=Profile(chosen))
        else:
            return options


def show_restore_failed(error: OSError) -> None:
    """Shows a message that the staged backup could not be restored. Returns when the user closes it."""
    from PySide6.QtWidgets import QMessageBox

    log.error("a backup could not be restored", exc_info=error)
    box = QMessageBox(QMessageBox.Icon.Warning, "Inglenook", "")
    box.setText(translate("launch", "The backup could not be restored."))
    again = translate("launch", "{reason}. It is tried again at the next start; until then everything stays as it is.")
    box.setInformativeText(again.format(reason=_reason(error)))
    box.exec()


def _ask(root: Path, error: OSError) -> Path | None:
    """Shows the message. Returns the folder that the user chose instead, or None to quit."""
    from PySide6.QtWidgets import QFileDialog, QMessageBox

    box = QMessageBox(QMessageBox.Icon.Warning, "Inglenook", "")
    box.setText(translate("launch", "Inglenook cannot write to the folder of your chats and settings."))
    why = translate(
        "launch",
        "{folder}: {reason}.\n\nChoose another folder, which is used until Inglenook is closed. To use it always, "
        "start Inglenook with --profile and that folder.",
    )
    box.setInformativeText(why.format(folder=well_formed(str(root)), reason=_reason(error)))
    other = box.addButton(translate("launch", "Choose another folder…"), QMessageBox.ButtonRole.AcceptRole)
    leave = box.addButton(translate("launch", "Quit"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(other)
    box.setEscapeButton(leave)
    while True:
        box.exec()
        if box.clickedButton() is not other:
            return None
        title = translate("launch", "A folder for chats and settings")
        if chosen := QFileDialog.getExistingDirectory(None, title, str(Path.home())):
            return Path(chosen)


def _reason(error: OSError) -> str:
    from desktop.error_reasons import translated_reason

    return translated_reason(error.strerror or str(error))
