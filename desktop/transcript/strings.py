"""Texts that the transcript shows around an answer."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication

from desktop.chat.waiting import Waiting
from desktop.platform.number_format import counted, decimal, whole
from desktop.settings.all_settings import Settings
from desktop.store.records import ChatMessage
from engine.remote.remote_model import shown_name

translate = QCoreApplication.translate


def ending_note(message: ChatMessage) -> str:
    """The reason why an answer is incomplete; "" if it is complete."""
    if message.note:
        return message.note
    if message.state == "cut":
        return translate("transcript", "This answer was cut off when Inglenook ended.")
    if message.state == "stopped" and not message.text:
        return translate("transcript", "Stopped before the first word.")
    return ""


def reasoning_title(message: ChatMessage) -> str:
    """The title of the button that shows the reasoning before an answer."""
    if message.state == "streaming" and not message.text:
        return translate("transcript", "Thinking…")
    if message.reasoning_s < 1:
        return translate("transcript", "Thought for a moment")
    return translate("transcript", "Thought for {seconds} s").format(seconds=whole(round(message.reasoning_s)))


def model_label(message: ChatMessage) -> str:
    """The model of an answer, and the machine or program in which it ran, if that is another one."""
    model = shown_name(message.model_id)
    if not message.host:
        return model
    return translate("transcript", "{model} on {host}").format(model=model, host=message.host)


def statistics(message: ChatMessage, settings: Settings) -> str:
    """The model if it ran on another machine or in another program, number of tokens, tokens per second, time to first
    token and accepted draft tokens of an answer, separated by " · ".

    No setting changes this text so far."""
    parts = [translate("transcript", "Stopped")] if message.state == "stopped" and message.text else []
    if message.host:
        parts.append(model_label(message))
    if message.n_output:
        parts.append(counted("%Ln tokens", "", message.n_output))
    if message.n_output > 1 and message.decode_s > 0:
        speed = whole(round(message.n_output / message.decode_s))
        parts.append(translate("transcript", "{speed} tok/s").format(speed=speed))
    if message.first_token_s > 0:
        seconds = decimal(message.first_token_s)
        parts.append(translate("transcript", "{seconds} s to first word").format(seconds=seconds))
    if message.n_drafted:
        percent = whole(round(100 * message.n_accepted / message.n_drafted))
        drafts = counted("{percent} % of %Ln draft tokens accepted", "", message.n_drafted)
        parts.append(drafts.format(percent=percent))
    return " · ".join(parts)


def waiting_text(waiting: Waiting) -> str:
    """What an answer is waiting for; "" while its text is being generated."""
    percent = round((waiting.share or 0) * 100)
    match waiting.stage:
        case "loading":
            return translate("transcript", "Waiting for the model · {percent} %").format(percent=percent)
        case "memory":
            return translate("transcript", "Waiting for another model…")
        case "preparing":
            return translate("transcript", "Preparing the prompt…")
        case "queued":
            return _queued_text(waiting)
        case "reading":
            text = translate("transcript", "Reading the prompt · {percent} %").format(percent=percent)
            left = "" if waiting.remaining_s is None else _time_left(waiting.remaining_s)
            return f"{text} · {left}" if left else text
        case "stopping":
            return translate("transcript", "Stopping…")
        case "writing":
            return ""


def _queued_text(waiting: Waiting) -> str:
    if waiting.behind:
        text = translate("transcript", "Waiting for the answer in “{title}”…").format(title=waiting.behind)
    else:
        text = translate("transcript", "Waiting for other requests…")
    if waiting.queue_place < 2:
        return text
    return f"{text} " + translate("transcript", "place {place} in the queue").format(place=whole(waiting.queue_place))


def _time_left(seconds: float) -> str:
    """The remaining time in seconds or minutes; "" if it is less than 2 seconds. Longer times are shown in longer
    steps."""
    if seconds < 2:
        return ""
    if seconds <= 90:
        step = 1 if seconds <= 10 else 5 if seconds <= 30 else 10
        shown = step * math.ceil(seconds / step)
        return translate("transcript", "about {seconds} s left").format(seconds=whole(shown))
    return translate("transcript", "about {minutes} min left").format(minutes=whole(math.ceil(seconds / 60)))
