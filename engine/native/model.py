"""A loaded model: weights, vocabulary and metadata."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.backend import LoadSettings, Vocabulary
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.errors import LoadCancelled, ModelFileError, NotLoaded
from engine.library.split_files import split_paths
from engine.native.devices import cpu_buffer_type, device_pointers
from engine.native.llama import C, start, take_error_message
from engine.native.tokenizer import Tokenizer, c_tokenize

_LOAD_MODES = {
    (mmap, mlock): getattr(C, f"LLAMA_LOAD_MODE_{name}")
    for mmap, mlock, name in (
        (False, False, "NONE"),
        (True, False, "MMAP"),
        (False, True, "MLOCK"),
        (True, True, "MMAP_MLOCK"),
    )
}


class _BufferOverride(ctypes.Structure):
    """`llama_model_tensor_buft_override` of llama.h: where the tensors whose names match a pattern lie."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


class _OffloadParams:
    """Parameters of llama.cpp for the layers on graphics cards. It must exist until the model is loaded."""

    def __init__(self, offload: Offload) -> None:
        pointers = device_pointers(offload.devices)
        self._devices = (ctypes.c_void_p * (len(pointers) + 1))(*pointers, None)
        self._split = (ctypes.c_float * int(C.llama_max_devices()))(*offload.split)
        patterns = [rf"^blk\.{i}\.ffn_.*_(ch|)exps\.".encode() for i in range(offload.n_cpu_experts)]
        cpu = cpu_buffer_type() if patterns else None
        self._overrides = (_BufferOverride * (len(patterns) + 1))(*[_BufferOverride(each, cpu) for each in patterns])
        self._n_layers = offload.n_layers if pointers else 0

    def fill(self, params: Any) -> None:
        params.devices = ctypes.addressof(self._devices)
        params.n_gpu_layers = self._n_layers
        params.tensor_split = ctypes.cast(self._split, ctypes.POINTER(ctypes.c_float))
        params.tensor_buft_overrides = ctypes.addressof(self._overrides)


class NativeModel:
    """A model that llama.cpp has loaded. `tokenize`, `piece` and `name` may be called on any thread while the model is
    loaded. Everything else is used only on the native thread (the one that decodes), unless a docstring allows any
    thread."""

    def __init__(
        self,
        path: Path,
        on_progress: Callable[[float], bool],
        settings: LoadSettings = LoadSettings(),
        *,
        repack: bool = True,
        offload: Offload = NO_OFFLOAD,
        load_mtp: bool = False,
    ) -> None:
        """Loads a model file whose header was already checked. With `repack`, llama.cpp copies some weights into a
        faster layout. `offload` names the layers on graphics cards. With `load_mtp`, its MTP layers are loaded too.

        Raises ModelFileError, LoadCancelled."""
        start()
        self._pieces: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._n_users = 0
        self._closed = False
        cancelled = False

        def report(progress: float, _data: object) -> bool:
            nonlocal cancelled
            cancelled = cancelled or not on_progress(progress)
            return not cancelled

        params = C.llama_model_default_params()
        callback = C.llama_progress_callback(report)  # the callback must exist until llama.cpp has loaded the model
        params.progress_callback = callback
        params.use_extra_bufts = repack
        offload_params = _OffloadParams(offload)
        offload_params.fill(params)
        params.load_mtp = load_mtp
        params.load_mode = _LOAD_MODES[settings.mmap, settings.mlock]
        self._pointer = C.llama_model_load_from_file(os.fsencode(path), params)
        if not self._pointer:
            if cancelled:
                raise LoadCancelled
            raise ModelFileError(path, take_error_message() or "llama.cpp cannot load this file")
        self.path = path
        try:
            self._read_properties()
        except BaseException:
            self.close()
            raise

    def _read_properties(self) -> None:
        release_mapped_pages(split_paths(self.path))
        self.vocab = C.llama_model_get_vocab(self._pointer)
        self.n_vocab: int = C.llama_vocab_n_tokens(self.vocab)
        self.eog_tokens = frozenset(token for token in range(self.n_vocab) if C.llama_vocab_is_eog(self.vocab, token))
        self._tokenizer = Tokenizer(self.vocab, self.n_vocab, self.metadata("tokenizer.ggml.pre"))
        self.tokenize = self._tokenizer.tokenize
        self.c_tokenize = c_tokenize(self._tokenizer)
        """A C function with the signature of `llama_tokenize`, safe for any text."""
        self.n_ctx_train: int = C.llama_model_n_ctx_train(self._pointer)
        self.is_stateful = bool(C.llama_model_is_recurrent(self._pointer) or C.llama_model_is_hybrid(self._pointer))
        """Whether the model is recurrent or hybrid, so that its state cannot be truncated."""

    @property
    def pointer(self) -> int:
        return int(self._pointer)

    def has_same_vocabulary(self, other: NativeModel) -> bool:
        """Whether every token id means the same text in both models."""
        return self.n_vocab == other.n_vocab and all(
            self._text(token) == other._text(token) for token in range(self.n_vocab)
        )

    @property
    def chat_template(self) -> str | None:
        template = C.llama_model_chat_template(self._pointer, None)
        return template.decode(errors="replace") if template else None

    def metadata(self, key: str) -> str | None:
        """Returns a metadata value of the file as text, truncated to 1,023 bytes; None if the key is missing."""
        buffer = ctypes.create_string_buffer(1024)
        length = C.llama_model_meta_val_str(self._pointer, key.encode(), buffer, len(buffer))
        return buffer.value.decode(errors="replace") if length >= 0 else None

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(
            n_tokens=self.n_vocab,
            bos=self._text(C.llama_vocab_bos(self.vocab)),
            eos=self._text(C.llama_vocab_eos(self.vocab)),
            eog_tokens=self.eog_tokens,
            has_word_pretokenizer=C.llama_vocab_type(self.vocab) == C.LLAMA_VOCAB_TYPE_BPE,
            control_texts=self._tokenizer.control_texts,
            fim=self._fim_texts(),
        )

    def _fim_texts(self) -> tuple[str, str, str] | None:
        words = [
            C.llama_vocab_fim_pre(self.vocab),
            C.llama_vocab_fim_suf(self.vocab),
            C.llama_vocab_fim_mid(self.vocab),
        ]
        if any(token < 0 for token in words):
            return None
        before, behind, middle = map(self._text, words)
        return before, behind, middle

    def piece(self, token: int) -> bytes:
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._read_piece(token)
        return piece

    def _read_piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(64)
        n = C.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, False)
        if n < 0:
            buffer = ctypes.create_string_buffer(-n)
            n = C.llama_token_to_piece(self.vocab, token, buffer, -n, 0, False)
        return buffer.raw[:n]

    def name(self, token: int) -> bytes:
        """Returns the token's text in the vocabulary. Unlike `piece`, it is not empty for control tokens."""
        text: bytes | None = C.llama_vocab_get_text(self.vocab, token)
        return text or b""

    @contextmanager
    def keep_loaded(self) -> Iterator[None]:
        """Returns a context manager. While a `with` block of it runs, `close` does not free weights and vocabulary. The
        block may be entered on any thread. Entering it raises NotLoaded if the model is closed."""
        with self._lock:
            if self._closed:
                raise NotLoaded
            self._n_users += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_users -= 1
            self._free_unused()

    @property
    def is_freed(self) -> bool:
        return self._pointer is None

    def close(self) -> None:
        """Frees the model at once, or when the last `keep_loaded` block ends. Free the model's contexts before this
        call. Idempotent."""
        with self._lock:
            self._closed = True
        self._free_unused()

    def _free_unused(self) -> None:
        with self._lock:
            if not self._closed or self._n_users:
                return
            pointer, self._pointer = self._pointer, None
        if pointer:
            C.llama_model_free(pointer)

    def _text(self, token: int) -> str:
        text = C.llama_vocab_get_text(self.vocab, token) if token >= 0 else None
        return text.decode(errors="replace") if text else ""


def release_mapped_pages(files: Iterable[Path]) -> None:
    """Removes the pages of memory-mapped files from this process's resident memory, on Linux. Call this while nothing
    computes with the files. On the next access, the system maps the pages again from its page cache.

    llama.cpp copies many weights into a layout for the processor, but keeps the whole file mapped. Without this
    function, most of the model would be in memory twice."""
    if sys.platform != "linux":
        return
    libc, names = ctypes.CDLL(None), {str(file.resolve()) for file in files}
    libc.madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines():
            addresses, *_, name = line.split(maxsplit=5)
            if name in names:
                start, end = (int(address, 16) for address in addresses.split("-"))
                libc.madvise(start, end - start, mmap.MADV_DONTNEED)
