"""Tokenizes any text safely and in linear time, which llama.cpp alone does not.

llama.cpp searches its list of text fragments from the beginning for every special token. Most of its pre-tokenizers use
`std::regex`, which recurses once per character of a match until the stack overflows. Therefore special tokens are found
here, and llama.cpp gets pieces of limited length, split where its own tokenizer splits too.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from engine.backend import TokenizationCancelled
from engine.native.llama import C
from engine.prompt.control_tokens import special_pattern

MAX_PIECE = 1 << 15
"""Maximum number of characters in one call of llama.cpp. Such a call takes 10 to 30 ms."""

MAX_SENTENCE_PIECE = 1 << 11
"""Maximum number of characters in one call of llama.cpp, for pre-tokenizers whose `std::regex` matches whole
sentences."""

SENTENCE_PRE_TOKENIZERS = frozenset(["exaone-moe"])

MAX_RUN = 128 if sys.platform == "win32" else 1024
"""Maximum length of a run of whitespace, or of other characters, for pre-tokenizers that use `std::regex`. Each
character takes 200 to 400 bytes of stack, and Microsoft's implementation fails after some hundred characters. Shorter
pieces would cost more time, because llama.cpp compiles the regex for each piece (2 ms)."""

CANCEL_EVERY = 256
"""Number of parts (special tokens, and texts between them) that are processed between two checks for cancellation."""

# fmt: off
PLAIN_PRE_TOKENIZERS = frozenset((
    "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
    "dbrx", "smaug-bpe", "chatglm-bpe", "glm4", "glm5", "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez",
    "stablelm2", "hunyuan", "solar-open", "grok-2", "qwen35", "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat",
    "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum", "modern-bert", "exaone4", "jina-v1-en", "jina-v2-code",
    "roberta-bpe", "mpt", "olmo", "jais", "trillion", "granite-docling", "starcoder", "refact", "command-r",
    "smollm", "codeshell", "exaone", "minerva-7b", "mellum2", "kimi-k2", "gemma4", "granite-embed-multi-311m",
    "sarvam-moe", "laguna",
))
# fmt: on
"""Pre-tokenizers for which llama.cpp does not use `std::regex`, or uses it only to match single characters."""

_ATTR_UNKNOWN, _ATTR_CONTROL, _ATTR_USER_DEFINED, _ATTR_LSTRIP, _ATTR_RSTRIP = 1 << 0, 1 << 3, 1 << 4, 1 << 7, 1 << 8
_WHITESPACE = " \t\n\v\f\r"
_WHITESPACE_RUN = re.compile(f"[{_WHITESPACE}]*")
_NO_CANCEL: Callable[[], bool] = bool

_WORD = re.compile(r"(?<=\S) (?=[^\W\d_])")
"""Finds a space before a letter. A text can be split before such a space without changing its tokens."""

_CLAUSE = re.compile(r"(?<=[^\W\d_])(?=[!-&(-/:-@\[-^{-~\u3001-\u3003\u3008-\u3011\uff01-\uff0f\uff1a-\uff20])")
"""Finds the position between a letter and punctuation other than an apostrophe. Text without spaces can be split there
without changing its tokens."""

_RUN = re.compile(r"\S+|\s+")  # a regex with a minimum length would make the search quadratic
_ANCHOR = "\x01"


class Tokenizer:
    """Tokenizer of one llama.cpp vocabulary. May be used on any thread while the model is loaded."""

    def __init__(self, vocab: int, n_tokens: int, pre_tokenizer: str | None) -> None:
        self._vocab = vocab
        self._is_bpe = C.llama_vocab_type(vocab) == C.LLAMA_VOCAB_TYPE_BPE
        self._runs_regex = self._is_bpe and pre_tokenizer not in PLAIN_PRE_TOKENIZERS
        self._max_piece = MAX_SENTENCE_PIECE if pre_tokenizer in SENTENCE_PRE_TOKENIZERS else MAX_PIECE
        controls, defined = self._read_specials(n_tokens)
        self.control_texts = tuple(sorted(controls))
        """Texts of the control tokens, which only a chat template may produce."""
        self._specials = controls | defined
        self._every_special = special_pattern(self._specials)
        self._defined_special = special_pattern(defined)

    def tokenize(
        self,
        text: str,
        *,
        add_special: bool,
        parse_special: bool = True,
        mark: str = "",
        cancelled: Callable[[], bool] = _NO_CANCEL,
    ) -> list[int]:
        """See `engine.backend.Backend.tokenize`."""
        tokens = list(self._affixes[0]) if add_special else []
        pattern = self._every_special if parse_special else self._defined_special
        for n, part in enumerate(self._parts(text, pattern)):
            if n % CANCEL_EVERY == 0 and cancelled():
                raise TokenizationCancelled
            if isinstance(part, int):
                tokens.append(part)
            else:
                self._append_text(part.replace(mark, "") if mark else part, tokens, cancelled)
        if add_special:
            tokens += self._affixes[1]
        return tokens

    def _parts(self, text: str, pattern: re.Pattern[str] | None) -> Iterator[str | int]:
        """Yields the ids of special tokens and the texts between them, in order."""
        at = 0
        for found in pattern.finditer(text) if pattern is not None else ():
            if found.start() < at:  # this token is whitespace that the previous token has stripped
                continue
            token, strips_left, strips_right = self._specials[found[0]]
            before = text[at : found.start()]
            if strips_left:
                before = before.rstrip(_WHITESPACE)
            if before:
                yield before
            yield token
            at = found.end()
            if strips_right:
                at = _WHITESPACE_RUN.match(text, at).end()  # type: ignore[union-attr]  # matches at any position
        if at < len(text):
            yield text[at:]

    def _append_text(self, text: str, tokens: list[int], cancelled: Callable[[], bool]) -> None:
        if len(text) <= MAX_RUN:
            tokens += self._call(text)
            return
        start = 0
        for end in self._piece_ends(text):
            if start and cancelled():
                raise TokenizationCancelled
            tokens += self._tokenize_piece(text[start:end], is_first=start == 0)
            start = end

    def _piece_ends(self, text: str) -> Iterator[int]:
        """Yields the end of each piece. An end does not depend on text after it, so a text that grows keeps its first
        tokens."""
        start = 0
        while start < len(text):
            end = _piece_end(text, start, self._max_piece)
            if self._runs_regex:
                yield from _run_ends(text, start, end)
            yield end
            start = end

    def _tokenize_piece(self, text: str, *, is_first: bool) -> list[int]:
        if is_first or not self._adds_space:
            return self._call(text)
        if text[0] == " ":
            return self._call(text[1:])
        tokens = self._call(_ANCHOR + text)
        n = len(self._anchor)
        return tokens[n:] if tokens[:n] == self._anchor else tokens

    def _call(self, text: str) -> list[int]:
        data = text.encode("utf-8", errors="replace")
        room = len(data) + 8
        tokens = (C.llama_token * room)()
        n = C.llama_tokenize(self._vocab, data, len(data), tokens, room, False, False)
        if n < 0:  # the buffer was too small: there are more tokens than bytes
            tokens = (C.llama_token * -n)()
            n = C.llama_tokenize(self._vocab, data, len(data), tokens, -n, False, False)
        return list(tokens[:n])

    def _read_specials(
        self, n_tokens: int
    ) -> tuple[dict[str, tuple[int, bool, bool]], dict[str, tuple[int, bool, bool]]]:
        """Returns two mappings: the control tokens and the user-defined tokens. Each maps the text of a token to its
        id, whether it strips the whitespace before it, and whether it strips the whitespace after it."""
        controls: dict[str, tuple[int, bool, bool]] = {}
        defined: dict[str, tuple[int, bool, bool]] = {}
        for token in range(n_tokens):
            attr = C.llama_vocab_get_attr(self._vocab, token)
            if not attr & (_ATTR_CONTROL | _ATTR_USER_DEFINED | _ATTR_UNKNOWN):
                continue
            text = _decoded(C.llama_vocab_get_text(self._vocab, token))
            if text:
                kind = controls if attr & (_ATTR_CONTROL | _ATTR_UNKNOWN) else defined
                kind.setdefault(text, (token, bool(attr & _ATTR_LSTRIP), bool(attr & _ATTR_RSTRIP)))
        return controls, defined

    # The following values are computed on first use, because llama.cpp aborts the process if the vocabulary is damaged.

    @cached_property
    def _anchor(self) -> list[int]:
        return self._call(_ANCHOR)

    @cached_property
    def _adds_space(self) -> bool:
        """Whether llama.cpp adds a space before each text, as SentencePiece does."""
        tokens = self._call("a")
        text = C.llama_vocab_get_text(self._vocab, tokens[0]) if tokens else b""
        return not self._is_bpe and bool(text) and text.startswith("\u2581".encode())

    @cached_property
    def _affixes(self) -> tuple[list[int], list[int]]:
        """Tokens that llama.cpp adds before and after every text, as two lists."""
        data, room = b"a", 16
        tokens = (C.llama_token * room)()
        n = C.llama_tokenize(self._vocab, data, len(data), tokens, room, True, False)
        whole, text = list(tokens[: max(n, 0)]), self._call("a")
        for at in range(len(whole) - len(text) + 1):
            if whole[at : at + len(text)] == text:
                return whole[:at], whole[at + len(text) :]
        return [], []


def _piece_end(text: str, start: int, limit: int) -> int:
    """Returns the end of the piece that begins at `start`, with at most `limit` characters."""
    if len(text) - start <= limit:
        return len(text)
    for pattern in (_WORD, _CLAUSE):
        found = [match.start() for match in pattern.finditer(text, start + limit // 2, start + limit)]
        if found:
            return found[-1]
    return start + limit


def _run_ends(text: str, start: int, end: int) -> Iterator[int]:
    for run in _RUN.finditer(text, start, end):
        at = run.start()
        while run.end() - at > MAX_RUN:
            at = _piece_end(text, at, MAX_RUN)
            yield at


def _decoded(text: bytes | None) -> str:
    try:
        return text.decode() if text else ""
    except UnicodeDecodeError:
        return ""


_C_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_char),
    ctypes.c_int32,
    ctypes.POINTER(C.llama_token),
    ctypes.c_int32,
    ctypes.c_bool,
    ctypes.c_bool,
)

MAX_UNCHECKED_BYTES = 128
"""Texts of at most this many bytes are passed directly to llama.cpp, which is safe for short texts."""


def c_tokenize(tokenizer: Tokenizer) -> Any:
    """Returns a C function that calls `tokenizer` and has the signature of `llama_tokenize`. Keep a reference to it
    while it can be called."""

    def call(
        vocab: Any, text: Any, n_bytes: int, tokens: Any, n_max: int, add_special: bool, parse_special: bool
    ) -> int:
        data = ctypes.string_at(text, n_bytes)
        if n_bytes <= MAX_UNCHECKED_BYTES:
            return int(C.llama_tokenize(vocab, data, n_bytes, tokens, n_max, add_special, parse_special))
        decoded = data.decode("utf-8", errors="replace")
        found = tokenizer.tokenize(decoded, add_special=add_special, parse_special=parse_special)
        if len(found) > n_max:
            return -len(found)
        ctypes.memmove(tokens, (C.llama_token * len(found))(*found), len(found) * ctypes.sizeof(C.llama_token))
        return len(found)

    return _C_SIGNATURE(call)
