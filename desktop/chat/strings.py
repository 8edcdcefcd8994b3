"""Texts for the screen about chats: attachments, sending, messages that do not fit, presets, settings, and notes on
answers."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.chat.attachments.errors import (
    AttachError,
    Damaged,
    Encrypted,
    NoText,
    NotText,
    TooLarge,
    TooSlow,
    Unreachable,
)
from desktop.chat.chat_settings.presets import MAX_NAME_LENGTH, NameProblem
from desktop.chat.chat_settings.settings_form import Number
from desktop.chat.composer.overflow import Overflow
from desktop.chat.token_estimate import about
from desktop.error_messages import error_message
from desktop.error_reasons import translated_reason
from desktop.platform.number_format import counted, plain, size, whole

translate = QCoreApplication.translate


def attachment_error(error: BaseException) -> str:
    """Text that tells why a file was not attached."""
    if not isinstance(error, AttachError):
        return error_message(error)
    return _attachment_error_format(error).format(name=error.name)


def more_not_attached(n: int) -> str:
    """Says that `n` more files were not attached. Files that a message of their own names do not count."""
    return counted("%Ln more are not attached.", "", n)


def _attachment_error_format(error: AttachError) -> str:
    match error:
        case NotText():
            return translate("composer", "{name} is not a text, PDF or Word file, so it cannot be attached.")
        case Encrypted():
            return translate(
                "composer", "{name} is protected by a password. Save it without a password, then attach it."
            )
        case Damaged():
            return translate("composer", "{name} is damaged and cannot be read.")
        case NoText(is_empty=True):
            return translate("composer", "{name} is empty.")
        case NoText():
            return translate("composer", "{name} contains no text. A scan needs text recognition (OCR) first.")
        case TooSlow():
            return translate("composer", "{name} took too long to read.")
        case TooLarge(measure="pages", most=most):
            return translate("composer", "{name} has more than {most} pages. Attach a part of it.").replace(
                "{most}", whole(most)
            )
        case TooLarge(measure="characters", most=most):
            text = translate("composer", "{name} has more than {most} characters of text. Attach a part of it.")
            return text.replace("{most}", whole(most))
        case TooLarge(most=most):
            return translate("composer", "{name} is larger than {most}. Attach a part of it.").replace(
                "{most}", size(most)
            )
        case Unreachable(reason=system_reason):
            return translate("composer", "{name} cannot be opened: {reason}.").replace(
                "{reason}", translated_reason(system_reason).replace("{", "{{").replace("}", "}}")
            )
        case _:
            return translate("composer", "{name} cannot be read.")


def pictures_not_supported() -> str:
    return translate("composer", "Pictures cannot be attached: the model reads text.")


def too_many_files(most: int) -> str:
    return counted("A message takes at most %Ln files; the others are left aside.", "", most)


def reading_file() -> str:
    return translate("composer", "A file is still being read")


def checking() -> str:
    return translate("composer", "Checking whether it fits…")


def message_not_sent() -> str:
    return translate(
        "composer", "Your message in “{title}” was not sent: it does not fit. It is kept there as a draft."
    )


def summarized() -> str:
    return translate("composer", "The oldest turns of “{title}” are summarised, and your message was sent.")


def summary_failed() -> str:
    return translate("composer", "The model wrote no summary. Nothing was sent; try again, or leave the turns out.")


def overflow_title(overflow: Overflow) -> str:
    if overflow.kind == "message":
        return translate("composer", "This message is too long for the model")
    return translate("composer", "Your next message does not fit")


def overflow_text(overflow: Overflow) -> str:
    """Text that tells how many tokens are needed and available, and what would be left out."""
    if overflow.kind == "message":
        text = translate("composer", "It takes {n_prompt} tokens, the model reads {n_ctx}. Shorten it, or attach less.")
        return text.format(n_prompt=_token_count(overflow, overflow.n_prompt), n_ctx=whole(overflow.n_ctx))
    if overflow.has_instructions:
        text = counted(
            "It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be "
            "left out; your instructions stay.",
            "",
            len(overflow.turns),
        )
    else:
        text = counted(
            "It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be "
            "left out; all else stays.",
            "",
            len(overflow.turns),
        )
    return text.format(
        n_prompt=_token_count(overflow, overflow.n_prompt),
        n_ctx=whole(overflow.n_ctx),
        n_left_out=_token_count(overflow, overflow.n_left_out),
    )


def _token_count(overflow: Overflow, n: int) -> str:
    return about(whole(n)) if overflow.is_estimate else whole(n)


def overflow_description(overflow: Overflow) -> str:
    """Title and text of the overflow card, for screen readers."""
    return f"{overflow_title(overflow)}. {overflow_text(overflow)}"


def summarizing(n_turns: int) -> str:
    return counted(
        "The model is summarising the %Ln oldest turns. Your message is sent as soon as it is done.",
        "",
        n_turns,
    )


def preset_name(name: str) -> str:
    """Name of a preset for the screen. The name of a built-in preset is translated, a name given by the user is not."""
    known = {
        "Everyday": translate("composer", "Everyday"),
        "Precise": translate("composer", "Precise"),
        "Creative": translate("composer", "Creative"),
    }
    return known.get(name, name) or translate("composer", "Own settings")


def preset_name_problem(problem: NameProblem) -> str:
    match problem:
        case "empty":
            return translate("composer", "A preset needs a name.")
        case "long":
            return translate("composer", "A name has at most {n} characters.").format(n=MAX_NAME_LENGTH)
        case "taken":
            return translate("composer", "There is a preset of that name already.")
        case _:
            return ""


def setting_text(english: str) -> str:
    """Translation of one of the texts of a `Number`."""
    return translate("composer", english)


def setting_default(number: Number) -> str:
    return plain(number.default) if number.default is not None else setting_text(number.without_default)


def setting_problem(number: Number) -> str:
    """Text that tells which values of a number are valid."""
    text = (
        translate("composer", "A whole number from {lowest} to {highest}.")
        if number.whole
        else translate("composer", "A number from {lowest} to {highest}.")
    )
    return text.format(lowest=plain(number.lowest), highest=plain(number.highest))


def context_full_note() -> str:
    return translate("chat", "The answer ends here because the model can read no further.")


def model_unloaded_note() -> str:
    """Note on an answer that was unfinished when its model was unloaded."""
    return translate("chat", "The model was unloaded before this answer was complete.")
