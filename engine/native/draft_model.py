"""A second, smaller model that proposes the next tokens of running requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.backend import Chunk, DraftTask, KvAllocationFailed, LoadSettings
from engine.errors import InvalidSettings, Reason
from engine.events import DraftKind
from engine.files.display_name import display_name
from engine.kv_memory import common_prefix_length
from engine.library.memory_estimate import N_BATCH, choose_context_length
from engine.library.split_files import read_model, total_size
from engine.native.context import NativeContext, context_params, likeliest
from engine.native.llama import C
from engine.native.model import NativeModel

MAX_UNREAD = 8
"""A request gets a draft if the draft model has at most this number of its tokens to read. Otherwise a part of them is
read, and the step has no draft. With all requests that can run, these tokens fit into one batch."""


@dataclass(slots=True)
class _Held:
    """The tokens of one request in the context of the draft model."""

    slot: int
    tokens: list[int] = field(default_factory=list)
    n_promised: int = 0
    """Number of cells that the request may take: for its tokens and its draft."""


class NativeDraftModel:
    """See `engine.backend.DraftModel`."""

    kind: DraftKind = "model"

    def __init__(self, model: NativeModel, n_ctx: int, n_slots: int, n_threads: int, size_share: float) -> None:
        """Takes ownership of `model`, unless the constructor raises ModelFileError."""
        params = context_params(n_ctx, N_BATCH, n_slots, n_threads)
        params.n_outputs_max = n_slots
        self._context = NativeContext(model, params)
        self._model = model
        self._n_threads = n_threads
        self._n_cells = n_ctx
        self._free_slots = list(range(n_slots - 1, -1, -1))
        self._held: dict[str, _Held] = {}
        self.cost = size_share

    def draft(self, wanted: Sequence[DraftTask]) -> dict[str, list[int]]:
        drafts: dict[str, list[int]] = {}
        try:
            ready = [each for each in wanted if self._has_room(each) and self._read(each.request_id, each.tokens)]
            while ready:
                rows = self._decode(ready, drafts)
                for task, row in zip(ready, rows, strict=True):
                    drafts.setdefault(task.request_id, []).append(likeliest(self._context, row))
                ready = [each for each in ready if len(drafts[each.request_id]) < each.n]
        except KvAllocationFailed:
            for request_id in list(self._held):
                self.forget(request_id)
        return drafts

    def _has_room(self, task: DraftTask) -> bool:
        """Promises a request the cells for its tokens and its draft. If there are too few, forgets the request and
        returns False. Requests do not share cells here, so they can need more than in the context of the main model."""
        n_others = sum(each.n_promised for other, each in self._held.items() if other != task.request_id)
        n_wanted = len(task.tokens) + task.n
        if n_others + n_wanted > self._n_cells:
            self.forget(task.request_id)
            return False
        if task.request_id not in self._held:
            if not self._free_slots:
                return False
            self._held[task.request_id] = _Held(self._free_slots.pop())
        self._held[task.request_id].n_promised = n_wanted
        return True

    def _read(self, request_id: str, tokens: list[int]) -> bool:
        """Reads up to N_BATCH tokens of a request that the context does not hold yet. Returns whether at most N_BATCH
        are left for the next decode."""
        held = self._held[request_id]
        n = min(common_prefix_length(held.tokens, tokens), len(tokens) - 1)
        if n < len(held.tokens):
            C.llama_memory_seq_rm(self._context.memory, held.slot, n, -1)
            del held.tokens[n:]
        if len(tokens) - n <= MAX_UNREAD:
            return True
        part = tokens[n : min(n + N_BATCH, len(tokens) - 1)]
        self._context.decode([Chunk(held.slot, n, part, sample_last=False)], self._n_threads)
        held.tokens += part
        return False

    def _decode(self, ready: Sequence[DraftTask], drafts: dict[str, list[int]]) -> list[int]:
        """Decodes the tokens of each request that the context does not hold yet. Returns the row of each request's last
        token."""
        chunks, rows = [], []
        row = -1
        for task in ready:
            held = self._held[task.request_id]
            start = len(held.tokens)
            drafted = drafts.get(task.request_id, [])[max(0, start - len(task.tokens)) :]
            new = [*task.tokens[start:], *drafted]
            chunks.append(Chunk(held.slot, start, new, sample_last=True))
            row += len(new)
            rows.append(row)
        self._context.decode(chunks, self._n_threads)
        for task, chunk in zip(ready, chunks, strict=True):
            self._held[task.request_id].tokens += chunk.tokens
        return rows

    def forget(self, request_id: str) -> None:
        held = self._held.pop(request_id, None)
        if held is not None:
            self._context.clear(held.slot)
            self._free_slots.append(held.slot)

    def close(self) -> None:
        self._context.close()
        self._model.close()


def open_draft_model(
    path: Path, settings: LoadSettings, main: NativeModel, n_slots: int, n_threads: int
) -> NativeDraftModel:
    """Opens the model of `settings.draft_model`. `main` is the model that verifies the drafts, and `settings.n_ctx` its
    context length.

    Raises InvalidSettings if the models have different vocabularies; ModelFileError, NotEnoughMemory."""
    header = read_model(path)
    plain = LoadSettings(n_ctx=settings.n_ctx, n_gpu_layers=settings.n_gpu_layers, mmap=settings.mmap, drafts=False)
    choose_context_length(header, plain, n_slots=n_slots, n_batch=N_BATCH, n_outputs=n_slots)
    model = NativeModel(path, lambda _: True, replace(plain, n_ctx=0))
    try:
        _check(model, main)
        share = total_size(path) / max(total_size(main.path), 1)
        return NativeDraftModel(model, settings.n_ctx, n_slots, n_threads, share)
    except BaseException:
        model.close()
        raise


def _check(model: NativeModel, main: NativeModel) -> None:
    name = display_name(model.path.stem)
    if not model.has_same_vocabulary(main):
        raise InvalidSettings("draft_model", Reason("{name} has another vocabulary than the model", name=name))
    if model.is_stateful or C.llama_model_n_swa(model.pointer):
        raise InvalidSettings(
            "draft_model", Reason("tokens cannot be removed from the memory of {name}, so it cannot draft", name=name)
        )
