"""Texts about models: memory, speed, downloads, errors of the hub. GUI thread only."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from desktop.error_messages import error_message
from desktop.error_reasons import translated_reason
from desktop.models.download_manager import DownloadState
from desktop.models.machine_capacity import MachineCapacity
from desktop.models.model_list import ModelRow
from desktop.models.placement_strings import cards_of, fewer_layers, placement, placement_sentence
from desktop.platform.number_format import counted, plain, short, size, whole
from engine.backend import KvType
from engine.chat_engine import ChatModel, EngineStatus
from engine.errors import AdapterError, EngineError
from engine.files.display_name import display_name
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
from engine.library.split_files import base_name
from engine.library.throughput_estimate import n_physical_cores
from engine.status import ModelInfo

translate = QCoreApplication.translate

_QUANTISATION = re.compile(r"I?Q\d\w*|B?F(16|32)", re.IGNORECASE)


def model_name_from_path(path: Path) -> str:
    return pretty_name(base_name(path))


def params(n_params: int) -> str:
    """Text for a number of parameters, for example 7.6 B or 135 M."""
    if n_params >= 1e9:
        return translate("models", "{n} B parameters").format(n=plain(round(n_params / 1e9, 1)))
    return translate("models", "{n} M parameters").format(n=whole(round(n_params / 1e6)))


def machine_summary(capacity: MachineCapacity) -> str:
    """One line about this computer: its cores and its memory."""
    if not capacity.total:
        return translate("models", "Models on this computer, and models that run well on it.")
    text = counted(
        "This computer: %Ln cores, {memory} of memory, {free} free.",
        "",
        n_physical_cores(),
    )
    return text.format(memory=size(capacity.total), free=size(capacity.free))


def verdict(row: ModelRow) -> str:
    """Whether the model fits into memory, in one or two words; "" if unknown."""
    if row.is_adapter:
        return translate("models", "Adapter")
    if row.fault:
        return translate("models", "Unusable")
    if row.fit is None:
        return ""
    return {
        "fits": translate("models", "Fits"),
        "slow": translate("models", "Slow"),
        "tight": translate("models", "Tight"),
        "too_big": translate("models", "Too big"),
    }[row.fit.verdict]


def speed(fit: MemoryFit | None) -> str:
    """Estimated tokens per second of a model, or the memory that it needs if it is too big; "" if unknown."""
    if fit is None:
        return ""
    if fit.verdict == "too_big":
        return translate("models", "needs {size}").format(size=size(fit.needed))
    if not fit.tokens_per_s:
        return ""
    shown = fit.tokens_per_s
    if shown >= 10:
        step = 5 if shown >= 50 else 1
        return translate("models", "≈ {speed} tok/s").format(speed=whole(step * round(min(shown, 5000) / step)))
    return translate("models", "≈ {speed} tok/s").format(speed=plain(round(max(shown, 0.1), 1)))


def details(row: ModelRow, *, with_abilities: bool = True) -> str:
    """The line below the name: quantisation, size, licence, publisher, downloads and abilities; or why the file is
    unusable."""
    if row.fault:
        return translated_reason(row.fault)
    parts = [row.quantisation]
    if row.size_bytes:
        parts.append(download_size(row.size_bytes, is_exact=row.is_size_exact))
    parts.append(licence(row.licence) if row.place != "disk" else "")
    if row.placement is not None:
        parts.append(placement(row.placement, is_approximate=row.place != "disk"))
    if row.is_bundled:
        parts.append(translate("models", "included with Inglenook"))
    if row.adapters:
        parts.append(translate("models", "with {adapters}").format(adapters=", ".join(row.adapters)))
    parts.append(row.maker)
    if row.n_downloads:
        parts.append(translate("models", "{n} downloads").format(n=short(row.n_downloads)))
    if with_abilities:
        parts.append(abilities(row))
    return " · ".join(part for part in parts if part)


def abilities(row: ModelRow) -> str:
    names = {"thinking": translate("models", "thinks"), "tools": translate("models", "calls tools")}
    return " · ".join(name for ability, name in names.items() if ability in row.abilities and not row.fault)


def good_for(kind: str) -> str:
    return {
        "quick": translate("models", "quick answers"),
        "everyday": translate("models", "everyday questions"),
        "languages": translate("models", "many languages"),
        "reasoning": translate("models", "reasoning"),
        "code": translate("models", "code"),
        "embeddings": translate("models", "embeddings, no chat"),
    }.get(kind, "")


def best_mark() -> str:
    """The mark of the model of the catalogue that suits this computer best."""
    return translate("models", "suits this computer best")


def download_size(n_bytes: int, *, is_exact: bool) -> str:
    return size(n_bytes) if is_exact else translate("models", "about {size}").format(size=size(n_bytes))


def licence(text: str) -> str:
    """Display name of a licence id of the hub, or of an SPDX identifier."""
    known = {"apache-2.0": "Apache 2.0", "mit": "MIT", "gemma": "Gemma", "llama3.2": "Llama 3.2"}
    return known.get(text.lower(), text)


def button_label(row: ModelRow) -> str:
    """Label of the button of a row, or the text that is shown if there is no button; "" if there is no text either."""
    if row.use == "in_use":
        return translate("models", "In use")
    if row.use == "loading":
        return translate("models", "Loading · {percent} %").format(percent=round(100 * row.progress))
    if row.can_load:
        return translate("models", "Load")
    if row.can_download:
        return translate("models", "Download")
    if row.place != "disk" and row.is_local:
        return translate("models", "Downloaded")
    return translate("models", "Terms apply") if row.gated else ""


def explanation(row: ModelRow) -> str:
    """One to three sentences: why the model fits or does not fit into memory, or why its file is unusable."""
    if row.is_adapter:
        return translate("models", "This LoRA adapter can be added in the settings of a model that it fits.")
    if row.fault:
        return translate("models", "The file cannot be used: {reason}.").format(reason=translated_reason(row.fault))
    if row.gated:
        return hub_error(Gated(403, row.key))
    parts = [_memory_explanation(row.fit) if row.fit is not None else ""]
    if row.placement is not None and row.place == "disk":
        parts.append(fewer_layers(row.placement, row.n_layers_wanted) or placement_sentence(row.placement))
    if "pictures" in row.abilities:
        parts.append(translate("models", "The model can see pictures, but Inglenook gives it text only."))
    parts += map(error_message, row.load_errors)
    return " ".join(part for part in parts if part)


def adapter_problem(error: EngineError) -> str:
    """One sentence that says why an adapter cannot be added to a model."""
    if not isinstance(error, AdapterError):
        return error_message(error)
    text = translate("models", "{name} cannot be added: {reason}.")
    return text.format(name=display_name(error.path.name), reason=translated_reason(error.reason))


def _memory_explanation(fit: MemoryFit) -> str:
    if on_cards := sum(fit.offload.device_bytes):
        text = translate("models", "Needs about {size} on {cards} and {needed} of memory; {free} of memory are free.")
    else:
        text = translate("models", "Needs about {needed} of memory, {free} are free.")
    needs = text.format(
        size=size(on_cards),
        cards=cards_of(fit.offload),
        needed=size(fit.needed),
        free=size(fit.estimate.available),
    )
    tokens = whole(fit.n_ctx)
    match fit.verdict, fit.reason:
        case "fits", _:
            more = translate("models", "Context length: {n} tokens.").format(n=tokens)
            if fit.n_ctx_best > fit.n_ctx:
                more = translate("models", "Context length: {n} tokens; up to {best} would fit.").format(
                    n=tokens, best=whole(fit.n_ctx_best)
                )
        case "slow", _:
            more = _slow_sentence()
        case "tight", "short_context":
            more = translate("models", "Only a context of {n} tokens fits.").format(n=tokens)
        case "tight", _:
            more = translate("models", "Little memory is left for other programs.")
        case _, "context":
            more = translate("models", "The context is too long: {best} tokens would fit.").format(
                best=whole(fit.n_ctx_best)
            )
        case _:
            more = translate("models", "A smaller quantisation may fit.")
    slow = f" {_slow_sentence()}" if fit.verdict == "tight" and fit.is_slow else ""
    return f"{needs} {more}{slow}"


def _slow_sentence() -> str:
    return translate("models", "It writes more slowly than people read.")


def kv_type(kind: KvType) -> str:
    return {
        "f16": translate("models", "Full"),
        "q8_0": translate("models", "Half"),
        "q4_0": translate("models", "Quarter"),
    }[kind]


def accessible_text(row: ModelRow) -> str:
    """The text of the whole row for screen readers."""
    mark = best_mark() if row.is_best else ""
    parts = [row.name, mark, good_for(row.good_for), details(row), verdict(row), speed(row.fit), button_label(row)]
    return ", ".join(part for part in parts if part)


def download_details(state: DownloadState) -> str:
    parts = [state.quantisation, size(state.size_bytes) if state.size_bytes else ""]
    return " · ".join(part for part in parts if part)


def download_state(state: DownloadState) -> str:
    """The state of a download in words: for example its progress, or the reason why it failed."""
    done = translate("models", "{done} of {all}").format(done=size(state.n_bytes), all=size(state.size_bytes))
    match state.stage:
        case "resolving":
            return translate("models", "Requesting the file list from Hugging Face…")
        case "waiting":
            return translate("models", "Waiting for the previous download")
        case "fetching":
            parts = [done]
            if state.bytes_per_s:
                parts.append(translate("models", "{size}/s").format(size=size(state.bytes_per_s)))
                parts.append(_time_left(state.seconds_left))
            return " · ".join(parts)
        case "verifying":
            return translate("models", "Verifying the file…")
        case "paused":
            return translate("models", "Paused · {done}").format(done=done)
        case _:
            return hub_error(state.error)


def _time_left(seconds: float) -> str:
    if seconds < 60:
        return translate("models", "less than a minute left")
    if seconds < 5400:
        return translate("models", "{n} min left").format(n=round(seconds / 60))
    return translate("models", "{n} h left").format(n=round(seconds / 3600))


def hub_error(error: BaseException | None) -> str:
    """What failed during a search or a download, and what the user can do."""
    match error:
        case ProxyUnusable(proxy=proxy):
            return translate("models", "The proxy {proxy} in the system's settings cannot be used.").format(proxy=proxy)
        case HubUnreachable():
            return translate("models", "Hugging Face cannot be reached. Models on this computer still work.")
        case Gated():
            return translate(
                "models",
                "Accept the publisher's terms on huggingface.co and download the file there, then open it here.",
            )
        case HubRefused(status=404):
            return translate("models", "The model is no longer on Hugging Face.")
        case HubRefused(status=status):
            return translate("models", "Hugging Face refused the download ({status}).").format(status=status)
        case NothingToDownload():
            return translate("models", "The repository has no file with a checksum for verification.")
        case DiskFull(needed=needed, free=free):
            text = translate("models", "The disk is too full: {needed} are needed, {free} are free.")
            return text.format(needed=size(needed), free=size(free))
        case Corrupt():
            return translate("models", "The downloaded file does not match its checksum. It was deleted; try again.")
        case CannotWrite(reason=clause):
            return translate("models", "The file cannot be written to the disk: {reason}.").format(
                reason=translated_reason(clause)
            )
        case _:
            return translate("models", "Something went wrong: {error}").format(error=str(error) or type(error).__name__)


def folder_name(path: Path) -> str:
    """The path of a folder, with `~` for the home folder."""
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path != home and path.is_relative_to(home) else str(path)


def cancel_loading_label() -> str:
    return translate("models", "Cancel")


def unload_label() -> str:
    return translate("models", "Unload")


def mtp_note(refusal: str | None) -> str:
    """Whether the MTP layers of a model draft tokens, and if not, why; "" with None, for a model without them."""
    if refusal is None:
        return ""
    if not refusal:
        return translate("models", "The model's MTP layers draft where a text does not repeat itself.")
    text = translate("models", "The model's MTP layers are not used: {reason}.")
    return text.format(reason=translated_reason(refusal))


def memory_breakdown(fit: MemoryFit) -> str:
    """One text with the memory for weights, KV cache, compute buffers and draft model."""
    account = fit.estimate
    if account.draft_bytes:
        text = translate("models", "Weights {weights}, KV cache {chats}, compute buffers {other}, draft model {draft}.")
    else:
        text = translate("models", "Weights {weights}, KV cache {chats}, compute buffers {other}.")
    return text.format(
        weights=size(account.weights_bytes),
        chats=size(account.kv_bytes),
        other=size(account.compute_bytes + account.other_bytes),
        draft=size(account.draft_bytes),
    )


def model_state(status: EngineStatus) -> str:
    """The name of the loaded model, or the state of the load, in a few words."""
    match status.state:
        case "ready" if status.model is not None:
            if status.model.host:
                return translate("models", "{model} on {host}").format(model=status.model.name, host=status.model.host)
            return " + ".join([model_name(status.model), *_active_adapters(status.model)])
        case "loading" if status.model is not None and status.model.host:
            return translate("models", "Connecting to {host}…").format(host=status.model.host)
        case "dead" | "empty" if status.model is not None and status.model.host:
            return translate("models", "{model}: not available").format(model=status.model.name)
        case "loading":
            return translate("models", "Loading · {percent} %").format(percent=round(status.progress * 100))
        case "dead":
            return translate("models", "The model stopped")
        case _:
            return translate("models", "No model")


def model_name(model: ChatModel) -> str:
    """The id of the model without its quantisation and with spaces for hyphens."""
    words = [word for word in model.id.replace(".", "-").split("-") if not _QUANTISATION.fullmatch(word)]
    return " ".join(words) or model.id


def model_facts(model: ChatModel | None, *, has_card: bool = False) -> list[str]:
    """Lines about the loaded model: file, size, context length, and what computes it if this computer has a card. Of a
    model on another machine: the machine and the context length."""
    if model is None:
        return []
    context = translate("models", "Context length: {n_ctx} tokens").format(n_ctx=whole(model.n_ctx))
    if not isinstance(model, ModelInfo):
        return [*filter(None, (model.host,)), *((context,) if model.n_ctx else ())]
    offload = model.memory.offload if model.memory is not None else None
    return [
        display_name(model.path.name),
        translate("models", "{size} on disk").format(size=size(model.size_bytes)),
        context,
        *([placement_sentence(offload)] if offload is not None and (has_card or offload.devices) else ()),
        *(
            translate("models", "Adapter {name}, scale {scale}").format(
                name=display_name(each.path.name), scale=plain(round(each.scale, 3))
            )
            for each in model.adapters
        ),
    ]


def _active_adapters(model: ChatModel) -> list[str]:
    """The name of the adapter that changes the model's answers, or how many do; empty if none does."""
    if not isinstance(model, ModelInfo):
        return []
    names = [display_name(each.path.stem) for each in model.active_adapters]
    return names if len(names) < 2 else [translate("models", "{n} adapters").format(n=whole(len(names)))]
