"""What is said of a model: its cost, its speed, a download, and what the hub answers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from desktop.models.download_manager import DownloadState
from desktop.models.model_row import ModelRow, Room
from desktop.platform.number_format import counted, decimal, plain, short, whole
from desktop.reasons import reason
from engine.backend import KvType
from engine.library.hub_errors import (
    CannotWrite,
    Corrupt,
    DiskFull,
    Gated,
    HubRefused,
    HubUnreachable,
    NothingToDownload,
    ProxyUnusable,
)
from engine.library.memory_fit import MemoryFit
from engine.library.model_metadata import pretty_name
from engine.library.split_files import stem
from engine.library.throughput_estimate import n_cores

translate = QCoreApplication.translate

SLOW = 3.0
"""Tokens per second: some two words, half as fast as one reads."""


def name_of_file(path: Path) -> str:
    return pretty_name(stem(path))


def size(n_bytes: float) -> str:
    """As disks are counted: 1 GB is a thousand millions."""
    return _size(n_bytes, 1e6, 1e9)


def memory(n_bytes: float) -> str:
    """As memory is counted: a machine with 16 GB has 16 times 2³⁰."""
    return _size(n_bytes, 2.0**20, 2.0**30)


def _size(n_bytes: float, mega: float, giga: float) -> str:
    if n_bytes >= 99.5 * giga:
        return translate("models", "{size} GB").format(size=whole(round(n_bytes / giga)))
    if n_bytes >= 0.9995 * giga:
        return translate("models", "{size} GB").format(size=decimal(n_bytes / giga))
    return translate("models", "{size} MB").format(size=whole(round(n_bytes / mega)))


def params(n_params: int) -> str:
    """7.6 B parameters, 135 M parameters."""
    if n_params >= 1e9:
        return translate("models", "{n} B parameters").format(n=plain(round(n_params / 1e9, 1)))
    return translate("models", "{n} M parameters").format(n=whole(round(n_params / 1e6)))


def machine(room: Room) -> str:
    """One line about this computer."""
    if not room.total:
        return translate("models", "What is on this computer, and what would run well on it.")
    text = counted(
        "What is on this computer, and what would run well on it: %Ln cores, {memory} of memory, {free} free.",
        "",
        n_cores(),
    )
    all_of_it = translate("models", "{size} GB").format(size=whole(round(room.total / 2**30)))
    return text.format(memory=all_of_it, free=memory(room.free))


def verdict(row: ModelRow) -> str:
    """A word or two, "" where nothing is known."""
    if row.fault:
        return translate("models", "Unusable")
    if row.fit is None:
        return ""
    return {
        "fits": translate("models", "Slow") if is_slow(row.fit) else translate("models", "Fits"),
        "tight": translate("models", "Tight"),
        "too_big": translate("models", "Too big"),
    }[row.fit.verdict]


def is_slow(fit: MemoryFit | None) -> bool:
    """Whether one would wait for each word."""
    return fit is not None and 0 < fit.tokens_per_s < SLOW


def speed(fit: MemoryFit | None) -> str:
    """Of an answer; what is needed where there will be none."""
    if fit is None:
        return ""
    if fit.verdict == "too_big":
        return translate("models", "needs {size}").format(size=memory(fit.needed))
    if not fit.tokens_per_s:
        return ""
    shown = fit.tokens_per_s
    if shown >= 10:
        step = 5 if shown >= 50 else 1
        return translate("models", "≈ {speed} tok/s").format(speed=whole(step * round(min(shown, 5000) / step)))
    return translate("models", "≈ {speed} tok/s").format(speed=plain(round(max(shown, 0.1), 1)))


def about(row: ModelRow) -> str:
    """The line below the name."""
    if row.fault:
        return reason(row.fault)
    parts = [row.quantisation]
    if row.size_bytes:
        rough = row.place != "disk"
        parts.append(f"≈ {size(row.size_bytes)}" if rough else size(row.size_bytes))
    if row.comes_with:
        parts.append(translate("models", "comes with Inglenook"))
    parts.append(row.maker)
    if row.n_downloads:
        parts.append(translate("models", "{n} downloads").format(n=short(row.n_downloads)))
    parts.append(licence(row.licence) if row.place != "disk" else "")
    return " · ".join(part for part in parts if part)


def good_for(kind: str) -> str:
    return {
        "quick": translate("models", "quick answers"),
        "everyday": translate("models", "everyday questions"),
        "languages": translate("models", "many languages"),
        "reasoning": translate("models", "thinks before it answers"),
        "code": translate("models", "code"),
    }.get(kind, "")


def licence(text: str) -> str:
    """What the hub calls it, as people write it."""
    return {"apache-2.0": "Apache 2.0", "mit": "MIT", "gemma": "Gemma", "llama3.2": "Llama 3.2"}.get(text, text)


def action(row: ModelRow) -> str:
    """What its button does or says; "" where there is none."""
    if row.use == "in_use":
        return translate("models", "In use")
    if row.use == "loading":
        return translate("models", "Loading · {percent} %").format(percent=round(100 * row.progress))
    if row.can_load:
        return translate("models", "Load")
    if row.can_download:
        return translate("models", "Download")
    if row.place != "disk" and row.is_here:
        return translate("models", "Is here")
    return translate("models", "Terms first") if row.gated else ""


def why(row: ModelRow) -> str:
    """The cost of a model, in one or two sentences."""
    if row.fault:
        return translate("models", "It cannot be used: {reason}.").format(reason=reason(row.fault))
    if row.gated:
        return trouble(Gated(403, row.key))
    return cost(row.fit) if row.fit is not None else ""


def cost(fit: MemoryFit) -> str:
    needs = translate("models", "Needs about {needed} of memory, {free} are free.").format(
        needed=memory(fit.needed), free=memory(fit.account.available)
    )
    tokens = whole(fit.n_ctx)
    match fit.verdict, fit.why:
        case "fits", _:
            more = translate("models", "It reads {n} tokens.").format(n=tokens)
            if fit.n_ctx_best > fit.n_ctx:
                more = translate("models", "It reads {n} tokens; up to {best} would fit.").format(
                    n=tokens, best=whole(fit.n_ctx_best)
                )
        case "tight", "short_context":
            more = translate("models", "Only {n} tokens of context fit.").format(n=tokens)
        case "tight", _:
            more = translate("models", "Little is left for other programs.")
        case _, "context":
            more = translate("models", "The context is too long: {best} tokens would fit.").format(
                best=whole(fit.n_ctx_best)
            )
        case _:
            more = translate("models", "A smaller quantisation may fit.")
    return f"{needs} {more}"


def kv_type(kind: KvType) -> str:
    return {
        "f16": translate("models", "Full"),
        "q8_0": translate("models", "Half"),
        "q4_0": translate("models", "Quarter"),
    }[kind]


def sentence(row: ModelRow) -> str:
    """All of a row, for those who hear it."""
    parts = [row.name, good_for(row.good_for), about(row), verdict(row), speed(row.fit), action(row)]
    return ", ".join(part for part in parts if part)


def download_about(state: DownloadState) -> str:
    parts = [state.quantisation, size(state.size_bytes) if state.size_bytes else ""]
    return " · ".join(part for part in parts if part)


def download_state(state: DownloadState) -> str:
    """How far it is, or what keeps it."""
    done = translate("models", "{done} of {all}").format(done=size(state.n_bytes), all=size(state.size_bytes))
    match state.stage:
        case "asking":
            return translate("models", "Asking Hugging Face what there is…")
        case "waiting":
            return translate("models", "Waits for the download before it")
        case "fetching":
            parts = [done]
            if state.bytes_per_s:
                parts.append(translate("models", "{size}/s").format(size=size(state.bytes_per_s)))
                parts.append(time_left(state.seconds_left))
            return " · ".join(parts)
        case "verifying":
            return translate("models", "Checking what came…")
        case "paused":
            return translate("models", "Paused · {done}").format(done=done)
        case _:
            return trouble(state.error)


def time_left(seconds: float) -> str:
    if seconds < 60:
        return translate("models", "less than a minute left")
    if seconds < 5400:
        return translate("models", "{n} min left").format(n=round(seconds / 60))
    return translate("models", "{n} h left").format(n=round(seconds / 3600))


def trouble(error: BaseException | None) -> str:
    """What went wrong with the hub, and what one can do."""
    match error:
        case ProxyUnusable(proxy=proxy):
            return translate("models", "The proxy {proxy} in the system's settings cannot be used.").format(proxy=proxy)
        case HubUnreachable():
            return translate("models", "Hugging Face cannot be reached now. What is on this computer works as always.")
        case Gated():
            return translate(
                "models", "Its makers ask you to accept their terms on huggingface.co first. Then open the file here."
            )
        case HubRefused(status=404):
            return translate("models", "Hugging Face does not have it any more.")
        case HubRefused(status=status):
            return translate("models", "Hugging Face does not hand it out ({status}).").format(status=status)
        case NothingToDownload():
            return translate("models", "There is no file in it that could be checked after the download.")
        case DiskFull(needed=needed, free=free):
            text = translate("models", "The disk is too full: {needed} are needed, {free} are free.")
            return text.format(needed=size(needed), free=size(free))
        case Corrupt():
            return translate("models", "What came is not what Hugging Face says it is. It was deleted; try again.")
        case CannotWrite(reason=said):
            return translate("models", "It cannot be written to the disk: {reason}.").format(reason=reason(said))
        case _:
            return translate("models", "Something went wrong: {error}").format(error=str(error) or type(error).__name__)


def folder(path: Path) -> str:
    """A folder as people know it: from their own on."""
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path != home and path.is_relative_to(home) else str(path)


def cancel_loading() -> str:
    return translate("models", "Cancel")


def unload() -> str:
    return translate("models", "Unload")


def parts(fit: MemoryFit) -> str:
    """What the memory is spent on."""
    account = fit.account
    text = translate("models", "Weights {weights}, chats {chats}, while it computes {other}.")
    other = account.compute_bytes + account.other_bytes
    return text.format(weights=memory(account.weights_bytes), chats=memory(account.kv_bytes), other=memory(other))
