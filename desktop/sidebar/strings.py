"""User-visible strings of the sidebar."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.platform.number_format import counted
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow, Section

translate = QCoreApplication.translate


def section_heading(section: Section) -> str:
    match section:
        case Section.PINNED:
            return translate("sidebar", "Pinned")
        case Section.TODAY:
            return translate("sidebar", "Today")
        case Section.WEEK:
            return translate("sidebar", "This week")
        case Section.MONTH:
            return translate("sidebar", "This month")
        case Section.EARLIER:
            return translate("sidebar", "Earlier")
        case Section.FOLDERS:
            return translate("sidebar", "Folders")
        case Section.ARCHIVE:
            return translate("sidebar", "Archive")


def row_description(row: FolderRow | ArchiveRow) -> str:
    """Accessible text of a folder or the archive."""
    n = chat_count(row.n_chats)
    if isinstance(row, ArchiveRow):
        folded = translate("sidebar", "Archive, {n}, folded")
        return (folded if row.folded else translate("sidebar", "Archive, {n}, open")).format(n=n)
    folded = translate("sidebar", "Folder {name}, {n}, folded")
    text = folded if row.folder.folded else translate("sidebar", "Folder {name}, {n}, open")
    return text.format(name=row.folder.name, n=n)


def chat_count(n: int) -> str:
    return counted("%Ln chat(s)", "", n)
