"""Texts of the endpoint page about requests, API keys and memory. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.endpoint.activity import KeyUsage, ToolRequest
from desktop.endpoint.errors import BodyNotStored, BodyUnreadable, InvalidKeyName, KeyNameTaken
from desktop.endpoint.memory_shares import MemoryHolder
from desktop.platform.number_format import counted, short, size, whole

NONE = "—"
MAX_TITLE_LENGTH = 32


translate = QCoreApplication.translate


def kind(request: ToolRequest) -> str:
    """The kind of the request, for example chat, completion or embedding. It depends on the last part of the path."""
    return {
        "completions": translate("endpoint", "chat")
        if "/chat/" in request.path
        else translate("endpoint", "completions"),
        "messages": translate("endpoint", "messages"),
        "responses": translate("endpoint", "responses"),
        "embeddings": translate("endpoint", "embeddings"),
        "embed": translate("endpoint", "embeddings"),
    }.get(last := request.path.rstrip("/").rpartition("/")[2], last)


def state(request: ToolRequest) -> str:
    match request.state:
        case "queued":
            return translate("endpoint", "waiting · place {place}").format(place=request.queue_place)
        case "reading" if request.n_prompt:
            return translate("endpoint", "reading · {percent} %").format(
                percent=round(100 * request.n_read / request.n_prompt)
            )
        case "reading":
            return translate("endpoint", "preparing")
        case "writing":
            return translate("endpoint", "answering · {n}").format(n=whole(request.n_output))
        case "embedding":
            return translate("endpoint", "embedding")
        case "finished":
            return (
                translate("endpoint", "done · {n}").format(n=whole(request.n_output))
                if request.n_output
                else translate("endpoint", "done")
            )
        case "cancelled":
            return translate("endpoint", "stopped")
        case "failed":
            return translate("endpoint", "failed")


def prompt(request: ToolRequest) -> str:
    if not request.n_prompt:
        return NONE
    return translate("endpoint", "{cached} / {all} cached").format(
        cached=whole(request.n_cached), all=whole(request.n_prompt)
    )


def speed(request: ToolRequest) -> str:
    return (
        translate("endpoint", "{speed} tok/s").format(speed=round(request.tokens_per_s))
        if request.tokens_per_s
        else NONE
    )


def age(request: ToolRequest) -> str:
    seconds = int(request.age_s)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def accessible_text(request: ToolRequest) -> str:
    """The text of the whole row for screen readers."""
    parts = [request.key, kind(request), state(request)]
    if request.n_prompt:
        parts.append(translate("endpoint", "prompt {prompt}").format(prompt=prompt(request)))
    if request.tokens_per_s:
        parts.append(speed(request))
    return ", ".join((*parts, age(request)))


def details(request: ToolRequest) -> str:
    """The lines of the tooltip of a request, with the details that do not fit into its row."""
    lines = [
        translate("endpoint", "From {client}, with the key “{key}”").format(client=request.client, key=request.key),
        f"{request.dialect} · {request.path}",
        translate("endpoint", "{prompt} prompt tokens, {cached} of them cached; {output} output tokens").format(
            prompt=whole(request.n_prompt), cached=whole(request.n_cached), output=whole(request.n_output)
        ),
    ]
    if request.tokens_per_s:
        lines.append(speed(request))
    return "\n".join(lines)


def key_usage(key: KeyUsage) -> str:
    if not key.n_requests:
        return translate("endpoint", "in use now") if key.in_use else translate("endpoint", "not used since the start")
    return counted("%Ln requests · {tokens} tokens", "", key.n_requests).format(tokens=short(key.n_tokens))


def holder(each: MemoryHolder) -> str:
    """The name of a chat or tool in the list of the chats and tools that use the KV cache."""
    if each.is_tool:
        return translate("endpoint", "{name} (tool)").format(name=each.name)
    title = each.name if len(each.name) <= MAX_TITLE_LENGTH else f"{each.name[:MAX_TITLE_LENGTH].rstrip()}…"
    return translate("endpoint", "“{title}”").format(title=title)


def holder_size(each: MemoryHolder) -> str:
    """The size of the KV states of a chat or tool: in the KV cache, and in host memory if some are there."""
    if not each.host_size:
        return size(each.size)
    in_host = translate("endpoint", "{size} in host memory").format(size=size(each.host_size))
    return f"{size(each.size)} + {in_host}" if each.size else in_host


def error_text(error: BaseException) -> str:
    """What failed and what the user can do, for the errors in `desktop.endpoint.errors`; "" for any other error."""
    match error:
        case BodyNotStored():
            return translate(
                "endpoint",
                "The text of this request was not kept. Turn on “Keep request texts” and send the request again.",
            )
        case BodyUnreadable():
            return translate(
                "endpoint",
                "This request cannot be opened as a chat: it has no conversation, or it was too long to keep.",
            )
        case KeyNameTaken(name=name):
            return translate("endpoint", "There is a key named “{name}” already.").format(name=name)
        case InvalidKeyName():
            return translate("endpoint", "The name of a key must have 1 to 64 characters.")
        case _:
            return ""
