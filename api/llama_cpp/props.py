"""Descriptions of the model and its slots in llama.cpp's formats. Does no I/O."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from api.llama_cpp.devices import device_list, failed_backend_list
from api.request_context import Description
from engine.adapter import Adapter
from engine.chat_engine import ChatModel
from engine.errors import EngineError
from engine.events import DraftCounts
from engine.files.display_name import display_name
from engine.requests import Request, Sampling
from engine.status import ModelInfo, ModelProps


def props_object(found: Description, drafts: Iterable[DraftCounts]) -> dict[str, object]:
    """Returns the answer to /props. Its `model_path` is the model's id, because no answer contains the path of the
    file. `drafts` are the draft tokens since the start of the endpoint, whatever model was loaded."""
    model, props, status = found.model, found.props, found.status
    return {
        "default_generation_settings": {
            "n_ctx": model.n_ctx,
            "speculative": props.supports_drafts,
            "params": sampling_params(Sampling()),
        },
        "drafts": {
            "kinds": list(props.draft_kinds),
            "mtp_refusal": model.mtp_refusal if isinstance(model, ModelInfo) else "",
            "counts": {each.kind: {"n": each.n_drafted, "n_accepted": each.n_accepted} for each in drafts},
        },
        "total_slots": props.n_running,
        "model_alias": model.id,
        "model_path": model.id,
        "chat_template": props.chat_template,
        "bos_token": props.bos,
        "eos_token": props.eos,
        "modalities": {"vision": found.capabilities.images, "audio": False},
        "build_info": "inglenook",
        "is_sleeping": found.state != "loaded",
        "devices": device_list(status, model),
        "failed_devices": failed_backend_list(status),
        "load_warnings": [str(error) for error in _load_errors(model)],
    }


def adapters_of(model: ChatModel) -> tuple[Adapter, ...]:
    """Returns the adapters of a local model; none for other models."""
    return model.adapters if isinstance(model, ModelInfo) else ()


def _load_errors(model: ChatModel) -> Sequence[EngineError]:
    return model.load_errors if isinstance(model, ModelInfo) else ()


def adapter_list(model: ChatModel) -> list[dict[str, object]]:
    """Returns the answer to /lora-adapters. `path` is only the name of the file."""
    return [
        {"id": index, "path": display_name(each.path.name), "scale": each.scale, "task_name": "", "prompt_prefix": ""}
        for index, each in enumerate(adapters_of(model))
    ]


def slot_list(
    props: ModelProps, n_ctx: int, requests: Sequence[Request], visible_ids: Container[str]
) -> list[dict[str, object]]:
    """Returns the answer to /slots: one entry for each slot in which a request can run. Queued requests have no slot.

    A request whose id is not in `visible_ids` is shown only as a busy slot."""
    running = [*requests[: props.n_running], *([None] * (props.n_running - len(requests)))]
    return [
        {
            "id": index,
            "id_task": request.id if request is not None and request.id in visible_ids else -1,
            "n_ctx": n_ctx,
            "speculative": props.supports_drafts,
            "is_processing": request is not None,
            "params": sampling_params(request.sampling) if request is not None and request.id in visible_ids else {},
        }
        for index, request in enumerate(running)
    ]


def sampling_params(sampling: Sampling) -> dict[str, object]:
    """Returns the sampling parameters under llama.cpp's names."""
    return {
        "seed": -1 if sampling.seed is None else sampling.seed,
        "temperature": sampling.temperature,
        "dynatemp_range": sampling.temperature_range,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "typical_p": sampling.typical_p,
        "top_n_sigma": sampling.top_n_sigma,
        "xtc_probability": sampling.xtc_probability,
        "xtc_threshold": sampling.xtc_threshold,
        "repeat_last_n": sampling.repeat_last_n,
        "repeat_penalty": sampling.repeat_penalty,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "dry_multiplier": sampling.dry_multiplier,
        "mirostat": 2 if sampling.mirostat else 0,
        "ignore_eos": sampling.ignore_eos,
    }
