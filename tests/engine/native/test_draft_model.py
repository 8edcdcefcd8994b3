"""Which requests a draft model reads if its context has too few cells for all."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.backend import Chunk, DraftTask, KvAllocationFailed
from engine.native import draft_model
from engine.native.draft_model import NativeDraftModel

N_CELLS = 1000


class FakeContext:
    def __init__(self, *_: object) -> None:
        self.memory = None
        self.n_decoded = 0
        self._held: dict[int, int] = {}

    def decode(self, chunks: Sequence[Chunk], n_threads: int) -> None:
        for chunk in chunks:
            self._held[chunk.slot] = chunk.start + len(chunk.tokens)
            self.n_decoded += len(chunk.tokens)
        if sum(self._held.values()) > N_CELLS:
            raise KvAllocationFailed

    def clear(self, slot: int) -> None:
        self._held.pop(slot, None)


def test_request_for_which_there_are_no_cells_is_not_read_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_model, "NativeContext", FakeContext)
    monkeypatch.setattr(draft_model, "likeliest", lambda *_: 1)
    drafter = NativeDraftModel(None, N_CELLS, 4, 1, 0.1)  # type: ignore[arg-type]
    first, second = list(range(600)), list(range(600))
    for _ in range(5):
        drafts = drafter.draft([DraftTask("first", 0, first, 600, 3), DraftTask("second", 1, second, 600, 3)])
    assert drafts == {"first": [1, 1, 1]}
    assert drafter._context.n_decoded < 2 * len(first)  # type: ignore[attr-defined]
    drafter.forget("first")
    for _ in range(5):
        drafts = drafter.draft([DraftTask("second", 1, second, 600, 3)])
    assert drafts == {"second": [1, 1, 1]}
