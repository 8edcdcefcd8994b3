"""What went wrong, in words for the screen: what happened, and what one can do."""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication

from desktop.chat.sections import ArchiveRow, FolderRow, Section
from desktop.endpoint.errors import PortTaken
from desktop.exchange.errors import NotRecognised, Unreadable
from desktop.store.errors import StoreDamaged, StoreFull, StoreNewer, StoreUnreachable
from desktop.store.records import ChatMessage
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

_QUANTISATION = re.compile(r"I?Q\d\w*|B?F(16|32)", re.IGNORECASE)


def _tr(text: str) -> str:
    return QCoreApplication.translate("sentences", text)


def of(error: BaseException) -> str:
    """One or two sentences for any error; an unknown one is named, so that it can be reported."""
    match error:
        case ContextOverflow(n_prompt=n_prompt, n_ctx=n_ctx):
            text = _tr("This chat has {n_prompt} tokens, the model reads {n_ctx}. Start a new chat to go on.")
            return text.format(n_prompt=f"{n_prompt:,}", n_ctx=f"{n_ctx:,}")
        case TemplateError(reason=reason):
            return _tr("The model's template refuses these messages: {reason}").format(reason=reason)
        case ModelFileError(path=path, reason=reason):
            return _tr("{name} cannot be opened: {reason}.").format(name=path.name, reason=reason)
        case NotEnoughMemory(needed=needed, available=available):
            text = _tr("The model needs {needed} MB of memory, {available} MB are free. Close something first.")
            return text.format(needed=f"{needed >> 20:,}", available=f"{available >> 20:,}")
        case InvalidSettings(field=field, reason=reason):
            return _tr("The model cannot be loaded so: {field}: {reason}.").format(field=field, reason=reason)
        case NotLoaded():
            return _tr("No model is loaded. Choose a model file, then try again.")
        case EngineDead():
            return _tr("The model stopped working. Load it again to go on; nothing that was written is lost.")
        case LoadCancelled():
            return _tr("Loading the model was cancelled.")
        case EngineClosed():
            return _tr("Inglenook is closing.")
        case _:
            return _of_desktop(error)


def _of_desktop(error: BaseException) -> str:
    match error:
        case StoreFull():
            return _tr("The disk is full: new messages are not kept. They stay here until Inglenook closes.")
        case StoreDamaged() if error.kept_as is not None:
            return _damaged(error, error.kept_as.name)
        case StoreDamaged():
            return _tr("The file of your chats is damaged. Start Inglenook again to begin a new one.")
        case StoreNewer():
            return _tr("Your chats were written by a newer Inglenook. This version leaves them alone and keeps none.")
        case NotRecognised(name=name):
            return _tr("{name} holds no chats that Inglenook can read.").format(name=name)
        case Unreadable(name=name, reason=reason):
            return _tr("{name} could not be read or written to its end: {reason}.").format(name=name, reason=reason)
        case PortTaken(port=port):
            return _tr("Port {port} is used by another program.").format(port=port)
        case StoreUnreachable(reason=reason):
            return _tr("Chats are not kept: {reason}.").format(reason=reason)
        case _:
            return _tr("Something went wrong: {error}").format(error=str(error) or type(error).__name__)


def _damaged(error: StoreDamaged, name: str) -> str:
    if not error.n_chats:
        text = _tr("The file of your chats was damaged. It is kept as {name}; a new one was begun.")
    elif error.n_chats == 1:
        text = _tr("The file of your chats was damaged. 1 chat was recovered; the damaged file is kept as {name}.")
    else:
        text = _tr("The file of your chats was damaged. {n} chats were recovered; the damaged file is kept as {name}.")
    return text.format(n=f"{error.n_chats:,}", name=name)


def imported(n_new: int, n_known: int) -> str:
    """How an import ended."""
    text = _tr("{n_new} chats came in.") if n_new != 1 else _tr("One chat came in.")
    if n_known:
        text += " " + (_tr("{n_known} were here already.") if n_known != 1 else _tr("One was here already."))
    return text.format(n_new=f"{n_new:,}", n_known=f"{n_known:,}")


def name_of(role: str) -> str:
    """Who says something, as the heading of a saved chat."""
    return {"user": _tr("You"), "assistant": _tr("Inglenook")}.get(role, _tr("Instructions"))


def ran_out_of_room() -> str:
    return _tr("The answer ends here because the model can read no further.")


def how_it_ended(message: ChatMessage) -> str:
    """What must be said about an answer that is not simply complete; "" where nothing must."""
    if message.note:
        return message.note
    if message.state == "cut":
        return _tr("This answer was cut off when Inglenook ended.")
    return _tr("Stopped before the first word.") if message.state == "stopped" and not message.text else ""


def thoughts(message: ChatMessage) -> str:
    """The head of what a model thought before it answered."""
    if message.state == "streaming" and not message.text:
        return _tr("Thinking…")
    if message.reasoning_s < 1:
        return _tr("Thought for a moment")
    return _tr("Thought for {seconds} s").format(seconds=round(message.reasoning_s))


def stats(message: ChatMessage) -> str:
    """What an answer took, in a line: tokens, speed, wait for the first word."""
    parts = [_tr("Stopped")] if message.state == "stopped" and message.text else []
    if message.n_output:
        parts.append(QCoreApplication.translate("sentences", "%n tokens", "", message.n_output))
    if message.n_output > 1 and message.decode_s > 0:
        parts.append(_tr("{speed} tok/s").format(speed=round(message.n_output / message.decode_s)))
    if message.first_token_s > 0:
        parts.append(_tr("{seconds} s to first word").format(seconds=f"{message.first_token_s:.1f}"))
    return " · ".join(parts)


def heading(section: Section) -> str:
    """The heading of a group of chats."""
    match section:
        case Section.PINNED:
            return _tr("Pinned")
        case Section.TODAY:
            return _tr("Today")
        case Section.WEEK:
            return _tr("This week")
        case Section.MONTH:
            return _tr("This month")
        case Section.EARLIER:
            return _tr("Earlier")
        case Section.FOLDERS:
            return _tr("Folders")
        case Section.ARCHIVE:
            return _tr("Archive")


def spoken(row: FolderRow | ArchiveRow) -> str:
    """A folder or the archive, for those who cannot see its picture."""
    n = count_of_chats(row.n_chats)
    if isinstance(row, ArchiveRow):
        text = _tr("Archive, {n}, folded") if row.folded else _tr("Archive, {n}, open")
        return text.format(n=n)
    text = _tr("Folder {name}, {n}, folded") if row.folder.folded else _tr("Folder {name}, {n}, open")
    return text.format(name=row.folder.name, n=n)


def count_of_chats(n: int) -> str:
    return _tr("1 chat") if n == 1 else _tr("{n} chats").format(n=f"{n:,}")


def model_state(status: Status) -> str:
    """Where the model stands, in a few words."""
    match status.state:
        case "ready" if status.model is not None:
            return model_name(status.model)
        case "loading":
            return _tr("Loading · {percent} %").format(percent=round(status.progress * 100))
        case "dead":
            return _tr("The model stopped")
        case _:
            return _tr("No model")


def waiting(status: Status) -> str:
    """What an answer waits for, "" where it is being written already."""
    if status.state != "loading":
        return ""
    return _tr("Waiting for the model · {percent} %").format(percent=round(status.progress * 100))


def model_name(model: ModelInfo) -> str:
    """The file's name as a person would say it: without the quantisation, without hyphens."""
    words = [word for word in model.id.replace(".", "-").split("-") if not _QUANTISATION.fullmatch(word)]
    return " ".join(words) or model.id


def model_facts(model: ModelInfo | None) -> list[str]:
    """Lines about the loaded model."""
    if model is None:
        return []
    size = _tr("{size} MB on disk").format(size=f"{model.size_bytes / 1e6:,.0f}")
    return [model.path.name, size, _tr("Reads {n_ctx} tokens").format(n_ctx=f"{model.n_ctx:,}")]
