"""What is said of a tool's request, a key and an amount of memory."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.endpoint.activity import KeyUsage, MemoryHolder, ToolRequest
from desktop.endpoint.errors import BodyNotStored, BodyUnreadable, InvalidKeyName, KeyNameTaken
from desktop.platform.number_format import counted, decimal, short, whole

NONE = "—"
LONGEST_TITLE = 32


translate = QCoreApplication.translate


def kind(call: ToolRequest) -> str:
    """What was asked for, by the last word of its path."""
    return {
        "completions": translate("endpoint", "chat") if "/chat/" in call.path else translate("endpoint", "completions"),
        "messages": translate("endpoint", "messages"),
        "responses": translate("endpoint", "responses"),
        "embeddings": translate("endpoint", "embeddings"),
        "embed": translate("endpoint", "embeddings"),
    }.get(last := call.path.rstrip("/").rpartition("/")[2], last)


def state(call: ToolRequest) -> str:
    match call.state:
        case "queued":
            return translate("endpoint", "waiting · place {place}").format(place=call.queue_place)
        case "reading" if call.n_prompt:
            return translate("endpoint", "reading · {percent} %").format(
                percent=round(100 * call.n_read / call.n_prompt)
            )
        case "reading":
            return translate("endpoint", "getting ready")
        case "writing":
            return translate("endpoint", "answering · {n}").format(n=whole(call.n_output))
        case "embedding":
            return translate("endpoint", "embedding")
        case "finished":
            return (
                translate("endpoint", "done · {n}").format(n=whole(call.n_output))
                if call.n_output
                else translate("endpoint", "done")
            )
        case "cancelled":
            return translate("endpoint", "stopped")
        case "failed":
            return translate("endpoint", "failed")


def prompt(call: ToolRequest) -> str:
    if not call.n_prompt:
        return NONE
    return translate("endpoint", "{cached} / {all} kept").format(cached=whole(call.n_cached), all=whole(call.n_prompt))


def speed(call: ToolRequest) -> str:
    return translate("endpoint", "{speed} tok/s").format(speed=round(call.tokens_per_s)) if call.tokens_per_s else NONE


def age(call: ToolRequest) -> str:
    seconds = int(call.age_s)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def sentence(call: ToolRequest) -> str:
    """All of it, for those who hear it."""
    parts = [call.key, kind(call), state(call)]
    if call.n_prompt:
        parts.append(translate("endpoint", "prompt {prompt}").format(prompt=prompt(call)))
    if call.tokens_per_s:
        parts.append(speed(call))
    return ", ".join((*parts, age(call)))


def details(call: ToolRequest) -> str:
    """What a row has no room for."""
    lines = [
        translate("endpoint", "From {client}, with the key “{key}”").format(client=call.client, key=call.key),
        f"{call.dialect} · {call.path}",
        translate("endpoint", "{prompt} tokens asked, {cached} of them kept from before, {output} answered").format(
            prompt=whole(call.n_prompt), cached=whole(call.n_cached), output=whole(call.n_output)
        ),
    ]
    if call.tokens_per_s:
        lines.append(speed(call))
    return "\n".join(lines)


def use(key: KeyUsage) -> str:
    if not key.n_calls:
        return translate("endpoint", "in use now") if key.in_use else translate("endpoint", "not used since the start")
    return counted("%Ln requests · {tokens} tokens", "", key.n_calls).format(tokens=short(key.n_tokens))


def size(n_bytes: int) -> str:
    if n_bytes >= 10**9:
        return translate("endpoint", "{size} GB").format(size=decimal(n_bytes / 1e9))
    return translate("endpoint", "{size} MB").format(size=whole(round(n_bytes / 1e6)))


def holder(each: MemoryHolder) -> str:
    """A chat by its title, a tool by the name of its key."""
    if each.is_tool:
        return translate("endpoint", "{name} (tool)").format(name=each.name)
    title = each.name if len(each.name) <= LONGEST_TITLE else f"{each.name[:LONGEST_TITLE].rstrip()}…"
    return translate("endpoint", "“{title}”").format(title=title)


def trouble(error: BaseException) -> str:
    """What went wrong here, and what one can do; "" for what has nothing to do with the endpoint's page."""
    match error:
        case BodyNotStored():
            return translate(
                "endpoint", "What this tool asked was not kept. Switch on “Keep what tools ask”, then let it ask again."
            )
        case BodyUnreadable():
            return translate(
                "endpoint",
                "This request cannot be opened as a chat: it holds no conversation, or it is too long to be kept.",
            )
        case KeyNameTaken(name=name):
            return translate("endpoint", "There is a key named “{name}” already.").format(name=name)
        case InvalidKeyName():
            return translate("endpoint", "A key needs a name of at most 64 letters.")
        case _:
            return ""
