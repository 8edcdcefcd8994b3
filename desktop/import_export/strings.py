"""User-visible strings of import and export."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from desktop.error_reasons import translated_reason
from desktop.import_export.errors import Problem
from desktop.import_export.importer import ImportResult
from desktop.platform.number_format import counted

translate = QCoreApplication.translate


def import_summary(result: ImportResult) -> str:
    """Returns sentences with the numbers of chats that were imported, existed already, or could not be read."""
    if result.n_folders and not (result.n_new or result.n_known):
        text = counted("%Ln empty folders imported.", "", result.n_folders)
    else:
        text = counted("%Ln chats imported.", "", result.n_new)
    if result.n_known:
        text += " " + counted("%Ln chats were here already.", "", result.n_known)
    if result.n_unread:
        text += " " + _unreadable_chats(result.n_unread, result.names)
    if result.n_messages_unread:
        text += " " + counted("%Ln messages of these chats could not be read.", "", result.n_messages_unread)
    return text


def _unreadable_chats(n: int, names: Sequence[str]) -> str:
    if not names:
        return counted("%Ln chats could not be read.", "", n)
    listed = ", ".join(translate("import_export", "“{name}”").format(name=name) for name in names)
    if n > len(names):
        listed = translate("import_export", "{names} and others").format(names=listed)
    return counted("%Ln chats could not be read: {names}.", "", n).replace("{names}", listed)


def role_name(role: str) -> str:
    """Returns the heading of the messages with this role in an exported chat."""
    return {"user": translate("import_export", "You"), "assistant": translate("import_export", "Inglenook")}.get(
        role, translate("import_export", "Instructions")
    )


def problem_text(reason: Problem | str) -> str:
    """Returns the part of a sentence that gives the reason why a file is unreadable."""
    if not isinstance(reason, Problem):
        return translated_reason(reason)
    return {
        Problem.TOO_LARGE: translate("import_export", "it is too large"),
        Problem.NEWER_VERSION: translate("import_export", "it was written by a newer Inglenook"),
        Problem.CHATS_DAMAGED: translate("import_export", "its chats are damaged"),
        Problem.ARCHIVE_UNREADABLE: translate("import_export", "it is damaged, or asks for a password"),
        Problem.NO_KNOWN_CHATS: translate("import_export", "it holds no chats that this Inglenook knows"),
        Problem.READER_CRASHED: translate("import_export", "the process that reads it ended"),
    }[reason]
