"""Translates the errors of all features into sentences for the user: what happened, and what the user can do."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.endpoint.errors import PortTaken
from desktop.error_reasons import translated_reason
from desktop.import_export.errors import UnknownFormat, UnreadableFile
from desktop.import_export.strings import problem_text
from desktop.platform.number_format import counted, size, whole
from desktop.settings.settings_file import SettingsDamaged, SettingsUnreadable
from desktop.store.errors import StoreDamaged, StoreFull, StoreNewer, StoreRefused, StoreUnreachable
from engine.errors import (
    AccessDenied,
    AdapterError,
    CardLost,
    ContextOverflow,
    DraftModelError,
    EngineClosed,
    EngineDead,
    InvalidSettings,
    LoadCancelled,
    ModelFileError,
    NotEnoughMemory,
    NotLoaded,
    RemoteError,
    ServerBusy,
    ServerUnreachable,
    TemplateError,
    Unsupported,
)
from engine.files.display_name import display_name

translate = QCoreApplication.translate


def error_message(error: BaseException) -> str:
    """One or two sentences for any error. For an unknown error, the text contains the message of the exception, or its
    type if the message is empty. GUI thread."""
    match error:
        case ContextOverflow(n_prompt=n_prompt, n_ctx=n_ctx):
            text = translate(
                "errors", "This chat has {n_prompt} tokens, the model reads {n_ctx}. Start a new chat to continue."
            )
            return text.format(n_prompt=whole(n_prompt), n_ctx=whole(n_ctx))
        case TemplateError(reason=clause):
            return translate("errors", "The model's chat template rejects these messages: {reason}").format(
                reason=translated_reason(clause)
            )
        case ModelFileError(path=path, reason=clause):
            return translate("errors", "{name} cannot be opened: {reason}.").format(
                name=display_name(path.name), reason=translated_reason(clause)
            )
        case NotEnoughMemory(needed=needed, available=available):
            text = translate(
                "errors", "The model needs {needed} of memory, {available} are free. Close something first."
            )
            return text.format(needed=size(needed), available=size(available))
        case InvalidSettings(field=field, reason=clause):
            return translate("errors", "The model cannot be loaded with these settings: {field}: {reason}.").format(
                field=field, reason=translated_reason(clause)
            )
        case DraftModelError(cause=InvalidSettings(reason=clause)):
            return translate("errors", "The model is loaded without its draft model: {reason}.").format(
                reason=translated_reason(clause)
            )
        case DraftModelError(cause=cause):
            return translate("errors", "The model is loaded without its draft model. {error}").format(
                error=error_message(cause)
            )
        case RemoteError():
            return _of_connection(error)
        case Unsupported(feature=feature):
            return translate("errors", "The model's server does not support this: {feature}.").format(
                feature=translated_reason(feature)
            )
        case AdapterError(path=path, reason=clause):
            return translate("errors", "The model is loaded without the adapter {name}: {reason}.").format(
                name=display_name(path.name), reason=translated_reason(clause)
            )
        case NotLoaded():
            return translate("errors", "No model is loaded. Choose a model file, then try again.")
        case CardLost():
            return translate(
                "errors",
                "The graphics card stopped responding. Load the model again to continue, or load it on the processor; "
                "no text is lost.",
            )
        case EngineDead():
            return translate("errors", "The model stopped working. Load it again to continue; no text is lost.")
        case LoadCancelled():
            return translate("errors", "Loading the model was cancelled.")
        case EngineClosed():
            return translate("errors", "Inglenook is closing.")
        case _:
            return _of_desktop(error)


def _of_connection(error: RemoteError) -> str:
    match error:
        case ServerUnreachable():
            text = translate("errors", "{host} cannot be reached: {reason}.")
        case AccessDenied():
            text = translate("errors", "{host} refused the key, or requires one. Check the key of this connection.")
        case ServerBusy():
            text = translate("errors", "{host} is busy: {reason}. Try again in a moment.")
        case _:
            text = translate("errors", "{host} answered with an error: {reason}")
    return text.format(host=error.host, reason=translated_reason(error.reason))


def _of_desktop(error: BaseException) -> str:
    match error:
        case StoreFull():
            return translate(
                "errors", "The disk is full: new messages are not saved. They stay here until Inglenook closes."
            )
        case StoreDamaged() if error.kept_as is not None:
            return _damaged(error, error.kept_as.name)
        case StoreDamaged():
            return translate("errors", "The file of your chats is damaged. Restart Inglenook to create a new one.")
        case StoreNewer():
            return translate(
                "errors",
                "Your chats were written by a newer Inglenook. This version does not change them and saves no chats.",
            )
        case UnknownFormat(name=name):
            return translate("errors", "{name} contains no chats that Inglenook can read.").format(name=name)
        case UnreadableFile(name=name, reason=clause):
            return translate("errors", "{name} could not be read or written completely: {reason}.").format(
                name=name, reason=problem_text(clause)
            )
        case PortTaken(port=port):
            return translate("errors", "Port {port} is used by another program.").format(port=port)
        case StoreRefused():
            return translate("errors", "Something was not saved, because it contains an invalid value.")
        case SettingsDamaged(kept_as=name):
            return translate(
                "errors",
                "The settings file was damaged. It is kept as {name}; the default settings are used.",
            ).format(name=name)
        case SettingsUnreadable(reason=clause):
            return translate(
                "errors",
                "Your settings cannot be read: {reason}. The file is not changed; changes of settings are not saved.",
            ).format(reason=translated_reason(clause))
        case StoreUnreachable(reason=clause):
            return translate("errors", "Chats are not saved: {reason}.").format(reason=translated_reason(clause))
        case _:
            text = translated_reason(error.strerror) if isinstance(error, OSError) and error.strerror else str(error)
            return translate("errors", "Something went wrong: {error}").format(error=text or type(error).__name__)


def _damaged(error: StoreDamaged, name: str) -> str:
    if not error.n_chats:
        text = translate("errors", "The file of your chats was damaged. It is kept as {name}; a new one was created.")
    else:
        text = counted(
            "The file of your chats was damaged. %Ln chats were recovered; the damaged file is kept as {name}.",
            "",
            error.n_chats,
        )
    return text.format(name=name)
