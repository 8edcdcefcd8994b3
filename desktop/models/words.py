"""What is said of a model: its cost, its speed, a download, and what the hub answers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from desktop.models.downloads import DownloadState
from desktop.models.rows import ModelRow, Room
from engine.backend import KvType
from engine.library.facts import pretty_name
from engine.library.fit import Fit
from engine.library.hub_errors import (
    CannotWrite,
    Corrupt,
    DiskFull,
    Gated,
    HubRefused,
    HubUnreachable,
    NothingToDownload,
)
from engine.library.pace import n_cores
from engine.library.splits import stem


def _tr(text: str) -> str:
    return QCoreApplication.translate("models", text)


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
        return _tr("{size} GB").format(size=f"{n_bytes / giga:.0f}")
    if n_bytes >= 0.9995 * giga:
        return _tr("{size} GB").format(size=f"{n_bytes / giga:.1f}")
    return _tr("{size} MB").format(size=f"{n_bytes / mega:,.0f}")


def params(n_params: int) -> str:
    """7.6 B parameters, 135 M parameters."""
    giga = n_params >= 1e9
    count = f"{n_params / 1e9:.1f}".removesuffix(".0") + " B" if giga else f"{n_params / 1e6:.0f} M"
    return _tr("{n} parameters").format(n=count)


def machine(room: Room) -> str:
    """One line about this computer."""
    if not room.total:
        return _tr("What is on this computer, and what would run well on it.")
    cores = _tr("1 core") if n_cores() == 1 else _tr("{n} cores").format(n=n_cores())
    text = _tr("What is on this computer, and what would run well on it: {cores}, {memory} of memory, {free} free.")
    all_of_it = _tr("{size} GB").format(size=round(room.total / 2**30))
    return text.format(cores=cores, memory=all_of_it, free=memory(room.free))


def verdict(row: ModelRow) -> str:
    """A word or two, "" where nothing is known."""
    if row.fault:
        return _tr("Unusable")
    if row.fit is None:
        return ""
    return {"fits": _tr("Fits"), "tight": _tr("Tight"), "too_big": _tr("Too big")}[row.fit.verdict]


def speed(fit: Fit | None) -> str:
    """Of an answer; what is needed where there will be none."""
    if fit is None:
        return ""
    if fit.verdict == "too_big":
        return _tr("needs {size}").format(size=memory(fit.needed))
    if not fit.tokens_per_s:
        return ""
    shown = fit.tokens_per_s
    if shown >= 10:
        step = 5 if shown >= 50 else 1
        return _tr("≈ {speed} tok/s").format(speed=f"{step * round(min(shown, 5000) / step):,}")
    return _tr("≈ {speed} tok/s").format(speed=f"{max(shown, 0.1):.1f}".removesuffix(".0"))


def about(row: ModelRow) -> str:
    """The line below the name."""
    if row.fault:
        return row.fault
    parts = [row.quantisation]
    if row.size_bytes:
        rough = row.place != "disk"
        parts.append(f"≈ {size(row.size_bytes)}" if rough else size(row.size_bytes))
    if row.comes_with:
        parts.append(_tr("comes with Inglenook"))
    parts.append(row.maker)
    if row.n_downloads:
        parts.append(_tr("{n} downloads").format(n=short(row.n_downloads)))
    parts.append(licence(row.licence) if row.place != "disk" else "")
    return " · ".join(part for part in parts if part)


def good_for(kind: str) -> str:
    return {
        "quick": _tr("quick answers"),
        "everyday": _tr("everyday questions"),
        "languages": _tr("many languages"),
        "reasoning": _tr("thinks before it answers"),
        "code": _tr("code"),
    }.get(kind, "")


def licence(text: str) -> str:
    """What the hub calls it, as people write it."""
    return {"apache-2.0": "Apache 2.0", "mit": "MIT", "gemma": "Gemma", "llama3.2": "Llama 3.2"}.get(text, text)


def short(n: int) -> str:
    for limit, letter in ((999_500, "M"), (1_000, "k")):
        if n >= limit:
            scaled = n / (1_000_000 if letter == "M" else 1_000)
            return f"{scaled:.1f} {letter}" if scaled < 10 else f"{scaled:,.0f} {letter}"
    return str(n)


def action(row: ModelRow) -> str:
    """What its button does or says; "" where there is none."""
    if row.use == "in_use":
        return _tr("In use")
    if row.use == "loading":
        return _tr("Loading · {percent} %").format(percent=round(100 * row.progress))
    if row.can_load:
        return _tr("Load")
    if row.can_download:
        return _tr("Download")
    if row.place != "disk" and row.is_here:
        return _tr("Is here")
    return _tr("Terms first") if row.gated else ""


def why(row: ModelRow) -> str:
    """The cost of a model, in one or two sentences."""
    if row.fault:
        return _tr("It cannot be used: {reason}.").format(reason=row.fault)
    if row.gated:
        return trouble(Gated(403, row.key))
    return cost(row.fit) if row.fit is not None else ""


def cost(fit: Fit) -> str:
    needs = _tr("Needs about {needed} of memory, {free} are free.").format(
        needed=memory(fit.needed), free=memory(fit.account.available)
    )
    tokens = f"{fit.n_ctx:,}"
    match fit.verdict, fit.why:
        case "fits", _:
            more = _tr("It reads {n} tokens.").format(n=tokens)
            if fit.n_ctx_best > fit.n_ctx:
                more = _tr("It reads {n} tokens; up to {best} would fit.").format(n=tokens, best=f"{fit.n_ctx_best:,}")
        case "tight", "short_context":
            more = _tr("Only {n} tokens of context fit.").format(n=tokens)
        case "tight", _:
            more = _tr("Little is left for other programs.")
        case _, "context":
            more = _tr("The context is too long: {best} tokens would fit.").format(best=f"{fit.n_ctx_best:,}")
        case _:
            more = _tr("A smaller quantisation may fit.")
    return f"{needs} {more}"


def kv_type(kind: KvType) -> str:
    return {"f16": _tr("Full"), "q8_0": _tr("Half"), "q4_0": _tr("Quarter")}[kind]


def sentence(row: ModelRow) -> str:
    """All of a row, for those who hear it."""
    parts = [row.name, good_for(row.good_for), about(row), verdict(row), speed(row.fit), action(row)]
    return ", ".join(part for part in parts if part)


def download_about(state: DownloadState) -> str:
    parts = [state.quantisation, size(state.size_bytes) if state.size_bytes else ""]
    return " · ".join(part for part in parts if part)


def download_state(state: DownloadState) -> str:
    """How far it is, or what keeps it."""
    done = _tr("{done} of {all}").format(done=size(state.n_bytes), all=size(state.size_bytes))
    match state.stage:
        case "asking":
            return _tr("Asking Hugging Face what there is…")
        case "waiting":
            return _tr("Waits for the download before it")
        case "fetching":
            parts = [done]
            if state.bytes_per_s:
                parts.append(_tr("{size}/s").format(size=size(state.bytes_per_s)))
                parts.append(time_left(state.seconds_left))
            return " · ".join(parts)
        case "verifying":
            return _tr("Checking what came…")
        case "paused":
            return _tr("Paused · {done}").format(done=done)
        case _:
            return trouble(state.error)


def time_left(seconds: float) -> str:
    if seconds < 60:
        return _tr("less than a minute left")
    if seconds < 5400:
        return _tr("{n} min left").format(n=round(seconds / 60))
    return _tr("{n} h left").format(n=round(seconds / 3600))


def trouble(error: BaseException | None) -> str:
    """What went wrong with the hub, and what one can do."""
    match error:
        case HubUnreachable():
            return _tr("Hugging Face cannot be reached now. What is on this computer works as always.")
        case Gated():
            return _tr("Its makers ask you to accept their terms on huggingface.co first. Then open the file here.")
        case HubRefused(status=404):
            return _tr("Hugging Face does not have it any more.")
        case HubRefused(status=status):
            return _tr("Hugging Face does not hand it out ({status}).").format(status=status)
        case NothingToDownload():
            return _tr("There is no file in it that could be checked after the download.")
        case DiskFull(needed=needed, free=free):
            text = _tr("The disk is too full: {needed} are needed, {free} are free.")
            return text.format(needed=size(needed), free=size(free))
        case Corrupt():
            return _tr("What came is not what Hugging Face says it is. It was deleted; try again.")
        case CannotWrite(reason=reason):
            return _tr("It cannot be written to the disk: {reason}.").format(reason=reason)
        case _:
            return _tr("Something went wrong: {error}").format(error=str(error) or type(error).__name__)


def folder(path: Path) -> str:
    """A folder as people know it: from their own on."""
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path != home and path.is_relative_to(home) else str(path)


def unload() -> str:
    return _tr("Unload")


def parts(fit: Fit) -> str:
    """What the memory is spent on."""
    account = fit.account
    text = _tr("Weights {weights}, chats {chats}, while it computes {other}.")
    other = account.compute_bytes + account.other_bytes
    return text.format(weights=memory(account.weights_bytes), chats=memory(account.kv_bytes), other=memory(other))
