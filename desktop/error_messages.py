"""What went wrong, in words for the screen: what happened, and what one can do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from desktop.endpoint.errors import PortTaken
from desktop.import_export.errors import UnknownFormat, UnreadableFile
from desktop.import_export.importer import ImportResult
from desktop.platform.number_format import counted, whole
from desktop.reasons import reason
from desktop.settings.settings_file import SettingsDamaged, SettingsUnreadable
from desktop.sidebar.chat_sections import ArchiveRow, FolderRow, Section
from desktop.store.errors import StoreDamaged, StoreFull, StoreNewer, StoreRefused, StoreUnreachable
from engine.errors import (
    ContextOverflow,
    EngineClosed,
    EngineDead,
    InvalidSettings,
    LoadCancelled,
    ModelFileError,
    NotEnoughMemory,
    NotLoaded,
    TemplateError,
)
from engine.events import ModelInfo, Status
from engine.files.display_name import display_name

_QUANTISATION = re.compile(r"I?Q\d\w*|B?F(16|32)", re.IGNORECASE)


translate = QCoreApplication.translate


def of(error: BaseException) -> str:
    """One or two sentences for any error; an unknown one is named, so that it can be reported."""
    match error:
        case ContextOverflow(n_prompt=n_prompt, n_ctx=n_ctx):
            text = translate(
                "sentences", "This chat has {n_prompt} tokens, the model reads {n_ctx}. Start a new chat to go on."
            )
            return text.format(n_prompt=whole(n_prompt), n_ctx=whole(n_ctx))
        case TemplateError(reason=said):
            return translate("sentences", "The model's template refuses these messages: {reason}").format(
                reason=reason(said)
            )
        case ModelFileError(path=path, reason=said):
            return translate("sentences", "{name} cannot be opened: {reason}.").format(
                name=display_name(path.name), reason=reason(said)
            )
        case NotEnoughMemory(needed=needed, available=available):
            text = translate(
                "sentences", "The model needs {needed} MB of memory, {available} MB are free. Close something first."
            )
            return text.format(needed=whole(needed >> 20), available=whole(available >> 20))
        case InvalidSettings(field=field, reason=said):
            return translate("sentences", "The model cannot be loaded so: {field}: {reason}.").format(
                field=field, reason=reason(said)
            )
        case NotLoaded():
            return translate("sentences", "No model is loaded. Choose a model file, then try again.")
        case EngineDead():
            return translate(
                "sentences", "The model stopped working. Load it again to go on; nothing that was written is lost."
            )
        case LoadCancelled():
            return translate("sentences", "Loading the model was cancelled.")
        case EngineClosed():
            return translate("sentences", "Inglenook is closing.")
        case _:
            return _of_desktop(error)


def _of_desktop(error: BaseException) -> str:
    match error:
        case StoreFull():
            return translate(
                "sentences", "The disk is full: new messages are not kept. They stay here until Inglenook closes."
            )
        case StoreDamaged() if error.kept_as is not None:
            return _damaged(error, error.kept_as.name)
        case StoreDamaged():
            return translate(
                "sentences", "The file of your chats is damaged. Start Inglenook again to begin a new one."
            )
        case StoreNewer():
            return translate(
                "sentences",
                "Your chats were written by a newer Inglenook. This version leaves them alone and keeps none.",
            )
        case UnknownFormat(name=name):
            return translate("sentences", "{name} holds no chats that Inglenook can read.").format(name=name)
        case UnreadableFile(name=name, reason=said):
            return translate("sentences", "{name} could not be read or written to its end: {reason}.").format(
                name=name, reason=reason(said)
            )
        case PortTaken(port=port):
            return translate("sentences", "Port {port} is used by another program.").format(port=port)
        case StoreRefused():
            return translate("sentences", "Something was not kept, because a value in it is not valid.")
        case SettingsDamaged(kept_as=name):
            return translate(
                "sentences",
                "The file of your settings was damaged. It is kept as {name}; the settings are as at first.",
            ).format(name=name)
        case SettingsUnreadable(reason=said):
            return translate(
                "sentences", "Your settings cannot be read: {reason}. The file is left as it is; changes are not kept."
            ).format(reason=reason(said))
        case StoreUnreachable(reason=said):
            return translate("sentences", "Chats are not kept: {reason}.").format(reason=reason(said))
        case _:
            said = reason(error.strerror) if isinstance(error, OSError) and error.strerror else str(error)
            return translate("sentences", "Something went wrong: {error}").format(error=said or type(error).__name__)


def _damaged(error: StoreDamaged, name: str) -> str:
    if not error.n_chats:
        text = translate("sentences", "The file of your chats was damaged. It is kept as {name}; a new one was begun.")
    else:
        text = counted(
            "The file of your chats was damaged. %Ln chats were recovered; the damaged file is kept as {name}.",
            "",
            error.n_chats,
        )
    return text.format(name=name)


def imported(result: ImportResult) -> str:
    """How an import ended: what came in, what was here, and what could not be read."""
    if result.n_folders and not (result.n_new or result.n_known):
        text = counted("%Ln empty folders came in.", "", result.n_folders)
    else:
        text = counted("%Ln chats came in.", "", result.n_new)
    if result.n_known:
        text += " " + counted("%Ln chats were here already.", "", result.n_known)
    if result.n_unread:
        text += " " + _unread(result.n_unread, result.names)
    if result.n_messages_unread:
        text += " " + counted("%Ln messages of these chats could not be read.", "", result.n_messages_unread)
    return text


def _unread(n: int, names: Sequence[str]) -> str:
    if not names:
        return counted("%Ln chats could not be read.", "", n)
    listed = ", ".join(translate("sentences", "“{name}”").format(name=name) for name in names)
    if n > len(names):
        listed = translate("sentences", "{names} and others").format(names=listed)
    return counted("%Ln chats could not be read: {names}.", "", n).replace("{names}", listed)


def name_of(role: str) -> str:
    """Who says something, as the heading of a saved chat."""
    return {"user": translate("sentences", "You"), "assistant": translate("sentences", "Inglenook")}.get(
        role, translate("sentences", "Instructions")
    )


def ran_out_of_room() -> str:
    return translate("sentences", "The answer ends here because the model can read no further.")


def model_left() -> str:
    """Why an answer ends that was being written, or waited for its turn, when its model went out of memory."""
    return translate("sentences", "The model was unloaded before this answer was complete.")


def heading(section: Section) -> str:
    """The heading of a group of chats."""
    match section:
        case Section.PINNED:
            return translate("sentences", "Pinned")
        case Section.TODAY:
            return translate("sentences", "Today")
        case Section.WEEK:
            return translate("sentences", "This week")
        case Section.MONTH:
            return translate("sentences", "This month")
        case Section.EARLIER:
            return translate("sentences", "Earlier")
        case Section.FOLDERS:
            return translate("sentences", "Folders")
        case Section.ARCHIVE:
            return translate("sentences", "Archive")


def spoken(row: FolderRow | ArchiveRow) -> str:
    """A folder or the archive, for those who cannot see its picture."""
    n = chat_count(row.n_chats)
    if isinstance(row, ArchiveRow):
        folded = translate("sentences", "Archive, {n}, folded")
        return (folded if row.folded else translate("sentences", "Archive, {n}, open")).format(n=n)
    folded = translate("sentences", "Folder {name}, {n}, folded")
    text = folded if row.folder.folded else translate("sentences", "Folder {name}, {n}, open")
    return text.format(name=row.folder.name, n=n)


def chat_count(n: int) -> str:
    return counted("%Ln chat(s)", "", n)


def model_state(status: Status) -> str:
    """Where the model stands, in a few words."""
    match status.state:
        case "ready" if status.model is not None:
            return model_name(status.model)
        case "loading":
            return translate("sentences", "Loading · {percent} %").format(percent=round(status.progress * 100))
        case "dead":
            return translate("sentences", "The model stopped")
        case _:
            return translate("sentences", "No model")


def model_name(model: ModelInfo) -> str:
    """The file's name as a person would say it: without the quantisation, without hyphens."""
    words = [word for word in model.id.replace(".", "-").split("-") if not _QUANTISATION.fullmatch(word)]
    return " ".join(words) or model.id


def model_facts(model: ModelInfo | None) -> list[str]:
    """Lines about the loaded model."""
    if model is None:
        return []
    size = translate("sentences", "{size} MB on disk").format(size=whole(round(model.size_bytes / 1e6)))
    return [
        display_name(model.path.name),
        size,
        translate("sentences", "Reads {n_ctx} tokens").format(n_ctx=whole(model.n_ctx)),
    ]
