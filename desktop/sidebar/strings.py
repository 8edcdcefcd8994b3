"""User-visible strings of the sidebar."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.platform.number_format import counted
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow, Section

translate = QCoreApplication.translate


def section_heading(section: Section) -> str:
    return {
        Section.PINNED: translate("sidebar", "Pinned"),
        Section.FOLDERS: translate("sidebar", "Folders"),
        Section.TODAY: translate("sidebar", "Today"),
        Section.WEEK: translate("sidebar", "This week"),
        Section.MONTH: translate("sidebar", "This month"),
        Section.EARLIER: translate("sidebar", "Earlier"),
        Section.ARCHIVE: translate("sidebar", "Archive"),
    }[section]


def row_description(row: FolderRow | ArchiveRow) -> str:
    """Returns the accessible text of a folder or of the archive."""
    n = chat_count(row.n_chats)
    if isinstance(row, ArchiveRow):
        folded = translate("sidebar", "Archive, {n}, folded")
        return (folded if row.folded else translate("sidebar", "Archive, {n}, open")).format(n=n)
    folded = translate("sidebar", "Folder {name}, {n}, folded")
    text = folded if row.folder.folded else translate("sidebar", "Folder {name}, {n}, open")
    return text.format(name=row.folder.name, n=n)


def chat_count(n: int) -> str:
    return counted("%Ln chat(s)", "", n)
