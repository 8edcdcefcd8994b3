"""What is said of a tool's request, a key and an amount of memory."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.endpoint.errors import KeyNameTaken, KeyNameUnfit, NotKept, NotReadable
from desktop.endpoint.feed import KeyUse, ToolRequest

NONE = "—"


def _tr(text: str) -> str:
    return QCoreApplication.translate("endpoint", text)


def kind(call: ToolRequest) -> str:
    """What was asked for, by the last word of its path."""
    return {
        "completions": _tr("chat") if "/chat/" in call.path else _tr("completions"),
        "messages": _tr("messages"),
        "responses": _tr("responses"),
        "embeddings": _tr("embeddings"),
        "embed": _tr("embeddings"),
    }.get(last := call.path.rstrip("/").rpartition("/")[2], last)


def state(call: ToolRequest) -> str:
    match call.state:
        case "queued":
            return _tr("waiting · place {place}").format(place=call.queue_place)
        case "reading" if call.n_prompt:
            return _tr("reading · {percent} %").format(percent=round(100 * call.n_read / call.n_prompt))
        case "reading":
            return _tr("getting ready")
        case "writing":
            return _tr("answering · {n}").format(n=f"{call.n_output:,}")
        case "embedding":
            return _tr("embedding")
        case "finished":
            return _tr("done · {n}").format(n=f"{call.n_output:,}") if call.n_output else _tr("done")
        case "cancelled":
            return _tr("stopped")
        case "failed":
            return _tr("failed")


def prompt(call: ToolRequest) -> str:
    if not call.n_prompt:
        return NONE
    return _tr("{cached} / {all} kept").format(cached=f"{call.n_cached:,}", all=f"{call.n_prompt:,}")


def speed(call: ToolRequest) -> str:
    return _tr("{speed} tok/s").format(speed=round(call.tokens_per_s)) if call.tokens_per_s else NONE


def age(call: ToolRequest) -> str:
    seconds = int(call.age_s)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def sentence(call: ToolRequest) -> str:
    """All of it, for those who hear it."""
    parts = [call.key, kind(call), state(call)]
    if call.n_prompt:
        parts.append(_tr("prompt {prompt}").format(prompt=prompt(call)))
    if call.tokens_per_s:
        parts.append(speed(call))
    return ", ".join((*parts, age(call)))


def details(call: ToolRequest) -> str:
    """What a row has no room for."""
    lines = [
        _tr("From {client}, with the key “{key}”").format(client=call.client, key=call.key),
        f"{call.dialect} · {call.path}",
        _tr("{prompt} tokens asked, {cached} of them kept from before, {output} answered").format(
            prompt=f"{call.n_prompt:,}", cached=f"{call.n_cached:,}", output=f"{call.n_output:,}"
        ),
    ]
    if call.tokens_per_s:
        lines.append(speed(call))
    return "\n".join(lines)


def use(key: KeyUse) -> str:
    if not key.n_calls:
        return _tr("not used yet")
    calls = _tr("1 request") if key.n_calls == 1 else _tr("{n} requests").format(n=f"{key.n_calls:,}")
    return _tr("{calls} · {tokens} tokens").format(calls=calls, tokens=short(key.n_tokens))


def short(n: int) -> str:
    """2.1 M, 310 k, 88."""
    for limit, letter in ((999_500, "M"), (1_000, "k")):
        if n >= limit:
            scaled = n / (1_000_000 if letter == "M" else 1_000)
            return f"{scaled:.1f} {letter}" if scaled < 10 else f"{scaled:,.0f} {letter}"
    return str(n)


def size(n_bytes: int) -> str:
    if n_bytes >= 10**9:
        return _tr("{size} GB").format(size=f"{n_bytes / 1e9:.1f}")
    return _tr("{size} MB").format(size=f"{n_bytes / 1e6:,.0f}")


def trouble(error: BaseException) -> str:
    """What went wrong here, and what one can do; "" for what has nothing to do with the endpoint's page."""
    match error:
        case NotKept():
            return _tr("What this tool asked was not kept. Switch on “Keep what tools ask”, then let it ask again.")
        case NotReadable():
            return _tr(
                "This request cannot be opened as a chat: it holds no conversation, or it is too long to be kept."
            )
        case KeyNameTaken(name=name):
            return _tr("There is a key named “{name}” already.").format(name=name)
        case KeyNameUnfit():
            return _tr("A key needs a name of at most 64 letters.")
        case _:
            return ""
