"""llama.cpp's batch, filled through numpy views, since a Python loop over ctypes arrays is too slow for every step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.backend import Chunk
from engine.native.llama import C


class NativeBatch:
    """Holds up to `n_tokens` tokens, each of one sequence. Native thread only."""

    def __init__(self, n_tokens: int) -> None:
        self._batch = C.llama_batch_init(n_tokens, 0, 1)
        as_array = np.ctypeslib.as_array
        self._token = as_array(self._batch.token, (n_tokens,))
        self._pos = as_array(self._batch.pos, (n_tokens,))
        self._logits = as_array(self._batch.logits, (n_tokens,))
        as_array(self._batch.n_seq_id, (n_tokens,))[:] = 1
        self._slots = [self._batch.seq_id[i] for i in range(n_tokens)]

    def fill(self, chunks: Sequence[Chunk]) -> object:
        """The argument for llama_decode; valid until the next call."""
        row = 0
        for chunk in chunks:
            n = len(chunk.tokens)
            if n == 1:
                self._token[row] = chunk.tokens[0]
                self._pos[row] = chunk.start
            else:
                self._token[row : row + n] = chunk.tokens
                self._pos[row : row + n] = np.arange(chunk.start, chunk.start + n)
                self._logits[row : row + n] = chunk.needs_all_logits
            self._logits[row + n - 1] = chunk.sample_last or chunk.needs_all_logits
            for i in range(row, row + n):
                self._slots[i][0] = chunk.slot
            row += n
        self._batch.n_tokens = row
        return self._batch

    def close(self) -> None:
        C.llama_batch_free(self._batch)
