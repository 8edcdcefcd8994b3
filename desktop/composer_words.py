"""What is said around the writing of a message: what happened, and what one can do."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop import sentences
from desktop.attach.errors import (
    AttachError,
    Damaged,
    Encrypted,
    NoText,
    NotText,
    TooLarge,
    TooSlow,
    Unreachable,
)
from desktop.compose.overflow import Overflow
from desktop.compose.presets import NAME_LENGTH, NameFault
from desktop.compose.settings_form import Name, Number


def _tr(text: str) -> str:
    return QCoreApplication.translate("composer", text)


def refused(error: BaseException) -> str:
    """Why a file is not attached."""
    if not isinstance(error, AttachError):
        return sentences.of(error)
    return _refusal(error).format(name=error.name)


def _refusal(error: AttachError) -> str:
    match error:
        case NotText():
            return _tr("{name} is no text, PDF or Word document, so the model cannot read it.")
        case Encrypted():
            return _tr("{name} asks for a password. Save it without one, then attach it.")
        case Damaged():
            return _tr("{name} is damaged and cannot be read.")
        case NoText():
            return _tr("{name} holds no text. A scan must be turned into text first.")
        case TooSlow():
            return _tr("{name} took too long to read.")
        case TooLarge(measure="pages", most=most):
            return _tr("{name} has more than {most} pages. Attach a part of it.").replace("{most}", f"{most:,}")
        case TooLarge(measure="characters", most=most):
            text = _tr("{name} has more than {most} characters of text. Attach a part of it.")
            return text.replace("{most}", f"{most:,}")
        case TooLarge(most=most):
            return _tr("{name} has more than {most} MB. Attach a part of it.").replace("{most}", f"{most >> 20:,}")
        case Unreachable(reason=reason):
            return _tr("{name} cannot be opened: {reason}.").replace("{reason}", reason.replace("{", "{{"))
        case _:
            return _tr("{name} cannot be read.")


def no_picture() -> str:
    return _tr("Pictures cannot be attached: the model reads text.")


def too_many(most: int) -> str:
    return _tr("A message takes at most {n} files; the others are left aside.").format(n=most)


def reading() -> str:
    return _tr("A file is still being read")


def checking() -> str:
    return _tr("Looking whether it fits…")


def summary_failed() -> str:
    return _tr("The model wrote no summary. Nothing was sent; try again, or leave the turns out.")


def overflow_title(found: Overflow) -> str:
    if found.kind == "message":
        return _tr("This message is too long for the model")
    return _tr("Your next message does not fit")


def overflow_text(found: Overflow) -> str:
    """How much is needed, how much there is, and what would happen."""
    if found.kind == "message":
        text = _tr("It takes {n_prompt} tokens, the model reads {n_ctx}. Shorten it, or attach less.")
        return text.format(n_prompt=f"{found.n_prompt:,}", n_ctx=f"{found.n_ctx:,}")
    n = len(found.turns)
    turns = _tr("The oldest turn") if n == 1 else _tr("The {n} oldest turns").format(n=n)
    stays = _tr("your instructions stay") if found.has_instructions else _tr("all else stays")
    text = _tr("It needs {n_prompt} tokens, the model reads {n_ctx}. {turns} ({n_left_out} tokens) would be left out; ")
    counts = {"n_prompt": f"{found.n_prompt:,}", "n_ctx": f"{found.n_ctx:,}", "n_left_out": f"{found.n_left_out:,}"}
    return text.format(turns=turns, **counts) + stays + "."


def overflow_short(found: Overflow) -> str:
    """For a reader of the gauge."""
    return f"{overflow_title(found)}. {overflow_text(found)}"


def summarising(n_turns: int) -> str:
    if n_turns == 1:
        return _tr("The model is summarising the oldest turn. Your message is sent as soon as it is done.")
    text = _tr("The model is summarising the {n} oldest turns. Your message is sent as soon as it is done.")
    return text.format(n=n_turns)


def preset_name(name: str) -> str:
    """A preset that comes with Inglenook in the person's language; a person's own as they named it."""
    known = {"Everyday": _tr("Everyday"), "Precise": _tr("Precise"), "Creative": _tr("Creative")}
    return known.get(name, name) or _tr("Own settings")


def name_fault(fault: NameFault) -> str:
    match fault:
        case "empty":
            return _tr("A preset needs a name.")
        case "long":
            return _tr("A name has at most {n} characters.").format(n=NAME_LENGTH)
        case "taken":
            return _tr("There is a preset of that name already.")
        case _:
            return ""


def setting_label(name: Name) -> str:
    return {
        "temperature": _tr("Temperature"),
        "top_p": _tr("Top P"),
        "top_k": _tr("Top K"),
        "min_p": _tr("Min P"),
        "repeat_penalty": _tr("Repeat penalty"),
        "max_tokens": _tr("Most tokens of an answer"),
        "seed": _tr("Seed"),
    }[name]


def setting_help(name: Name) -> str:
    return {
        "temperature": _tr("Low is steady, high is daring"),
        "top_p": _tr("Only the likeliest words that make up this share"),
        "top_k": _tr("Only so many of the likeliest words; 0 for all"),
        "min_p": _tr("Only words at least so likely, beside the likeliest"),
        "repeat_penalty": _tr("Above 1 avoids what was just said"),
        "max_tokens": _tr("Where an answer ends at the latest"),
        "seed": _tr("The same number gives the same answer"),
    }[name]


def setting_default(number: Number) -> str:
    if number.default is not None:
        return f"{number.default:g}"
    return _tr("by chance") if number.name == "seed" else _tr("no limit")


def setting_fault(number: Number) -> str:
    """What a value must be."""
    text = (
        _tr("A whole number from {lowest} to {highest}.")
        if number.whole
        else _tr("A number from {lowest} to {highest}.")
    )
    return text.format(lowest=f"{number.lowest:,g}", highest=_plain(number.highest))


def _plain(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"
