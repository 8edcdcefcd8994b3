"""How a context is opened: what the native backend does, and what an account of its memory counts with."""

from __future__ import annotations

from typing import TypedDict

from engine.library.gguf_header import GgufHeader
from engine.library.kv_size import state_bytes

N_SLOTS = 33
"""Sequences that have a place: those that run and those that wait to be used again, and one for background work. They
cost nothing where they share cells, or hold none."""

N_SLOTS_STATEFUL = 17
"""For recurrent and hybrid models, where each slot costs a state of its own."""

N_OUTPUTS = 64
"""Rows of logits from one decode."""

N_BATCH = 256
"""Tokens in one decode: prompts are read 3 % slower than with 512, and a cancel takes half as long."""


class Shape(TypedDict):
    n_slots: int
    n_batch: int
    n_outputs: int


def shape(header: GgufHeader) -> Shape:
    """What keeps a state may be one of many kinds; all of them say so in their numbers."""
    return Shape(n_slots=N_SLOTS_STATEFUL if state_bytes(header) else N_SLOTS, n_batch=N_BATCH, n_outputs=N_OUTPUTS)
