"""A fake of `engine.backend.Backend`, for tests of the engine without a model.

Its vocabulary consists of 256 bytes, an end token, and the special tokens of a `Script`. The next token is given by the
script or, without a scripted answer, computed from all tokens of the context, so that wrong or missing tokens in KV
memory change the answer. If a constraint excludes this next token, another one is computed from the context.
"""

from __future__ import annotations

import re
import threading
import time
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from llguidance import LLTokenizer, TokenizerWrapper

from engine.adapter import Adapter, AdapterScales
from engine.backend import (
    Chunk,
    DraftTask,
    Interrupted,
    KvAllocationFailed,
    Limits,
    LoadSettings,
    NativeFailure,
    TokenizationCancelled,
    Vocabulary,
)
from engine.errors import DraftModelError, LoadCancelled, ModelFileError, NotLoaded
from engine.events import DraftKind
from engine.requests import Sampling
from engine.status import ModelInfo
from tests.fake_embedder import FakeEmbedder

END = 256
ALPHABET = b"abcdefghij klmnop qrstuv wxyz"
VARIANT = 1001


@dataclass
class Script:
    """Behaviour of the fake backend. A test may change it while the fake runs."""

    answer: bytes | None = None
    """The answer to every prompt; an end token follows it. With None, the answer is an endless sequence of letters."""
    cases: dict[bytes, bytes] = field(default_factory=dict)
    """Answers to certain prompts. If a prompt contains a key of this mapping, the key's value is the answer, instead of
    `answer`."""
    has_close_alternatives: bool = False
    """Whether four other letters get a logit close to that of the next token."""
    template: str | None = None
    """The chat template of the fake model."""
    specials: tuple[str, ...] = ()
    """Texts that are one special token each, in prompts and in answers."""
    step_s: float = 0.0
    token_s: float = 0.0
    """Duration of a decode: `step_s`, plus `token_s` for each token."""
    load_s: float = 0.0
    load_error: ModelFileError | None = None
    draft_error: DraftModelError | None = None
    """Why the model was loaded without its draft model."""
    fail_after: int | None = None
    """Number of decodes that succeed; every later one raises `failure`. With None, no decode fails."""
    failure: type[NativeFailure] = NativeFailure
    """What such a decode raises."""
    refuse_states: bool = False
    """Whether `restore` always returns False."""
    kv_full_at: set[int] = field(default_factory=set)
    """Numbers of the decodes, counted from 0, that raise KvAllocationFailed."""


class _GuidanceVocabulary:
    """The fake's vocabulary, in the form that llguidance needs."""

    eos_token_id, bos_token_id = END, None

    def __init__(self, specials: Sequence[str]) -> None:
        self.tokens = [
            *(bytes([byte]) for byte in range(256)),
            *(b"\xff" + each.encode() for each in ("<end>", *specials)),
        ]
        self.special_token_ids = range(END, len(self.tokens))

    def __call__(self, text: bytes) -> list[int]:
        return list(text)


class FakeSampler:
    def __init__(self, backend: FakeBackend, n_prompt: int) -> None:
        self._backend = backend
        self._n_prompt = n_prompt

    def sample(self, row: int) -> int:
        return self._backend.next_token(row, self._n_prompt)

    def close(self) -> None:
        self._backend.n_open_samplers -= 1


class FakeDraftModel:
    """See `engine.backend.DraftModel`. `next_tokens` gives the draft for the tokens of a request."""

    cost = 0.1

    def __init__(self, next_tokens: Callable[[list[int], int], list[int]], kind: DraftKind = "model") -> None:
        self.kind = kind
        self._next_tokens = next_tokens
        self.held: set[str] = set()
        self.n_calls = 0

    def draft(self, wanted: Sequence[DraftTask]) -> dict[str, list[int]]:
        self.n_calls += 1
        self.held |= {task.request_id for task in wanted}
        return {task.request_id: self._next_tokens(task.tokens, task.n) for task in wanted}

    def forget(self, request_id: str) -> None:
        self.held.discard(request_id)


class FakeBackend:
    """See `engine.backend.Backend`."""

    def __init__(
        self,
        script: Script,
        limits: Limits,
        path: Path = Path("fake.gguf"),
        adapters: tuple[Adapter, ...] = (),
    ) -> None:
        self.script = script
        self.limits = limits
        self.draft_model: FakeDraftModel | None = None
        self._specials = {text: END + n for n, text in enumerate(script.specials, 1)}
        n_tokens = 257 + len(script.specials)
        fim = ("<PRE>", "<SUF>", "<MID>")
        self.vocabulary = Vocabulary(
            n_tokens=n_tokens, bos="", eos="", eog_tokens=frozenset({END}), control_texts=script.specials, fim=fim
        )
        self.chat_template = script.template
        self.fingerprint = b"fake".ljust(16)
        self.info = ModelInfo(
            "fake",
            "Fake",
            path,
            1,
            limits.n_cells,
            limits.n_cells,
            1,
            0.0,
            adapters=adapters,
            draft_error=script.draft_error,
        )
        self.adapter_scales = [self.info.adapter_scales]
        """All scales that were set, the first ones by the load, and the last ones in use."""
        self.n_decodes = 0
        self.n_interrupted = 0
        self.n_freed_threads = 0
        self._interruption = threading.Condition()
        self.is_interruptible = self._is_interrupted = False
        self.n_open_samplers = 0
        self.closed = False
        self.n_keep_loaded = 0
        self.slots: dict[int, list[int]] = {}
        self.batch_sizes: list[int] = []
        self._rows: dict[int, tuple[int, int]] = {}
        """For each row with logits: its slot, and the number of tokens in the slot up to the row's token."""
        self._logits: dict[int, npt.NDArray[np.float32]] = {}

    def constraint_tokenizer(self) -> LLTokenizer:
        return LLTokenizer(TokenizerWrapper(_GuidanceVocabulary(self.script.specials)), eos_token=[END])

    def tokenize(
        self,
        text: str,
        *,
        add_special: bool,
        parse_special: bool = True,
        mark: str = "",
        cancelled: Callable[[], bool] = bool,
    ) -> list[int]:
        if cancelled():
            raise TokenizationCancelled
        if not (self._specials and parse_special):
            return list((text.replace(mark, "") if mark else text).encode())
        parts = re.split("(" + "|".join(map(re.escape, self._specials)) + ")", text)
        return [token for part in parts for token in self._tokens(part, mark)]

    def _tokens(self, part: str, mark: str) -> list[int]:
        return (
            [self._specials[part]]
            if part in self._specials
            else list((part.replace(mark, "") if mark else part).encode())
        )

    def piece(self, token: int) -> bytes:
        return b"" if token >= END else bytes([token])

    @contextmanager
    def keep_model_loaded(self) -> Iterator[None]:
        if self.closed:
            raise NotLoaded
        self.n_keep_loaded += 1
        try:
            yield
        finally:
            self.n_keep_loaded -= 1

    def sampler(self, sampling: Sampling, history: Sequence[int]) -> FakeSampler:
        self.n_open_samplers += 1
        return FakeSampler(self, len(history))

    def decode(self, chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False) -> None:
        if self.closed:
            raise AssertionError("decode after close")
        at, self.n_decodes = self.n_decodes, self.n_decodes + 1
        seconds = self.script.step_s + self.script.token_s * sum(len(chunk.tokens) for chunk in chunks)
        if interruptible:
            self._wait_until_interrupted(seconds)
        else:
            self.is_interruptible = False
            time.sleep(seconds)
        if self.script.fail_after is not None and at >= self.script.fail_after:
            raise self.script.failure("scripted failure")
        if at in self.script.kv_full_at and {chunk.slot for chunk in chunks} | set(self.slots) != {chunks[0].slot}:
            raise KvAllocationFailed  # not raised if only one slot is used
        self._compute(chunks)

    def _wait_until_interrupted(self, seconds: float) -> None:
        with self._interruption:
            self._interruption.wait_for(lambda: self._is_interrupted, seconds)
            self.is_interruptible = False
            if self._is_interrupted:
                self.n_interrupted += 1
                raise Interrupted

    def allow_interruption(self) -> None:
        with self._interruption:
            self.is_interruptible, self._is_interrupted = True, False

    def interrupt(self) -> None:
        with self._interruption:
            self._is_interrupted = self.is_interruptible
            self._interruption.notify_all()

    def _compute(self, chunks: Sequence[Chunk]) -> None:
        if len({chunk.slot for chunk in chunks}) != len(chunks):
            raise AssertionError("a slot twice in one batch")
        self._rows = {}
        self._logits = {}
        row = -1
        variant = self._variant()
        for chunk in chunks:
            held = self.slots.setdefault(chunk.slot, [])
            if chunk.start != len(held):
                raise AssertionError(f"slot {chunk.slot} holds {len(held)} tokens, the chunk starts at {chunk.start}")
            held.extend(token + variant for token in chunk.tokens)
            row += len(chunk.tokens)
            n_rows = len(chunk.tokens) if chunk.needs_all_logits else chunk.sample_last + chunk.n_drafted
            for back in range(n_rows):
                self._rows[row - back] = chunk.slot, len(held) - back
        self.batch_sizes.append(row + 1)
        if len(self._rows) > self.limits.n_outputs:
            raise AssertionError("too many rows with logits")
        if row + 1 > self.limits.n_batch or self.n_cells_used() > self.limits.n_cells:
            raise AssertionError("over the limits")

    def _variant(self) -> int:
        """What is added to each computed token, so that the next tokens depend on the adapter scales with which the
        tokens were computed. 0 with those of the load."""
        return VARIANT * self.adapter_scales.index(self.adapter_scales[-1])

    def set_adapter_scales(self, scales: AdapterScales) -> None:
        if any(self.slots.values()):
            raise AssertionError("KV memory holds tokens that were computed with other adapter scales")
        self.adapter_scales.append(scales)

    def n_cells_used(self) -> int:
        """Number of used cells. A common prefix of several slots counts once."""
        total = sum(map(len, self.slots.values()))
        if total <= self.limits.n_cells:
            return total
        distinct = set()
        for held in self.slots.values():
            path = 0
            for token in held:
                path = hash((path, token))
                distinct.add(path)
        return len(distinct)

    def first_cached_token(self, slot: int) -> int:
        return 0

    def truncate(self, slot: int, n: int) -> None:
        assert self.limits.supports_truncation
        assert n <= len(self.slots[slot])
        del self.slots[slot][n:]

    def copy(self, source: int, target: int, n: int) -> None:
        assert not self.slots.get(target)
        assert self.limits.supports_truncation or n == len(self.slots[source])
        self.slots[target] = self.slots[source][:n]

    def save(self, slot: int) -> memoryview:
        return memoryview(bytearray(array("i", self.slots[slot]).tobytes()))

    def restore(self, slot: int, state: memoryview) -> bool:
        assert not self.slots.get(slot)
        if self.script.refuse_states:
            return False
        self.slots[slot] = list(array("i", bytes(state)))
        return True

    def logits(self, row: int) -> npt.NDArray[np.float32]:
        if row not in self._logits:
            logits = np.zeros(self.vocabulary.n_tokens, np.float32)
            preferred = self._preferred(row, 0)
            logits[preferred] = 5.0
            if self.script.has_close_alternatives and preferred < END and preferred in ALPHABET:
                for place in range(1, 5):
                    logits[ALPHABET[(ALPHABET.index(preferred) + place) % len(ALPHABET)]] = 5.0 - place / 2
            self._logits[row] = logits
        return self._logits[row]

    def next_token(self, row: int, n_prompt: int) -> int:
        preferred = self._preferred(row, n_prompt)
        possible = np.flatnonzero(np.isfinite(self.logits(row)))
        if preferred in possible:
            return preferred
        return int(possible[zlib.crc32(bytes(token % 256 for token in self._context(row))) % len(possible)])

    def _context(self, row: int) -> list[int]:
        """Returns the tokens of a slot up to the token of `row`."""
        slot, n = self._rows[row]
        return self.slots[slot][:n]

    def _preferred(self, row: int, n_prompt: int) -> int:
        held = self._context(row)
        scripted = self._scripted(held[:n_prompt])
        if scripted is not None:
            n_output = len(held) - n_prompt
            answer = self._answer(scripted)
            return answer[n_output] if n_output < len(answer) else END
        return ALPHABET[zlib.crc32(bytes(token % 256 for token in held)) % len(ALPHABET)]

    def _scripted(self, prompt: Sequence[int]) -> bytes | None:
        if self.script.cases:
            text = bytes(token % 256 for token in prompt)
            for part, answer in self.script.cases.items():
                if part in text:
                    return answer
        return self.script.answer

    def _answer(self, answer: bytes) -> Sequence[int]:
        """Returns the tokens of a scripted answer. If the script has no special tokens, the tokens are the bytes of
        `answer`, which need not be UTF-8."""
        return self.tokenize(answer.decode(), add_special=False) if self._specials else answer

    def reset(self) -> None:
        self.slots.clear()

    def clear(self, slot: int) -> None:
        self.slots.pop(slot, None)

    def free_threads(self) -> None:
        self.n_freed_threads += 1

    def open_embedder(self) -> FakeEmbedder:
        self.embedder = FakeEmbedder()
        return self.embedder

    def close(self) -> None:
        self.closed = True

    def is_model_freed(self) -> bool:
        return self.closed and not self.n_keep_loaded


class FakeOpener:
    """Opens fake backends, with the signature of `engine.backend.OpenBackend`. `backends` is the list of all backends
    opened so far, and `settings` that of the settings of all loads."""

    def __init__(self, script: Script | None = None, limits: Limits = Limits(4096, 8, 64, prompt_cut=64)) -> None:
        self.script = script or Script()
        self.limits = limits
        self.backends: list[FakeBackend] = []
        self.settings: list[LoadSettings] = []

    def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> FakeBackend:
        self.settings.append(settings)
        for percent in range(0, 100, 5):
            time.sleep(self.script.load_s / 20)
            if not on_progress(percent / 100):
                raise LoadCancelled
        if self.script.load_error is not None:
            raise self.script.load_error
        backend = FakeBackend(self.script, self.limits, path, settings.adapters)
        self.backends.append(backend)
        return backend
