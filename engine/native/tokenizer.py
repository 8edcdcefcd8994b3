"""Tokenises any text in time linear in its length.

llama.cpp's own search for special tokens walks its list of fragments from the beginning for each match, and most of its
pre-tokenizers run `std::regex`, which recurses once for each character of a match until the stack ends. So special
tokens are found here, and llama.cpp is given pieces of bounded length, cut where its tokenizer would divide them too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property

from engine.backend import TokenizationCancelled
from engine.native.llama import C
from engine.prompt.control_tokens import special_pattern

CHUNK = 1 << 15
"""Characters that llama.cpp tokenizes in one call, 10 to 30 ms."""

SENTENCE_CHUNK = 1 << 11
"""The same where `std::regex` matches whole sentences."""

SENTENCE_PRE_TOKENIZERS = frozenset(["exaone-moe"])

MAX_RUN = 128 if sys.platform == "win32" else 1024
"""Characters of one run of blanks or of other characters where `std::regex` is used: each takes 200 to 400 bytes of
stack, and Microsoft's gives up after some hundred. Each piece costs 2 ms, in which llama.cpp compiles its regex."""

CANCEL_EVERY = 256
"""Pieces between two checks for cancellation."""

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
"""Those of llama.cpp's pre-tokenizers that have loops of their own in place of `std::regex`, or match one character."""

_ATTR_UNKNOWN, _ATTR_CONTROL, _ATTR_USER_DEFINED, _ATTR_LSTRIP, _ATTR_RSTRIP = 1 << 0, 1 << 3, 1 << 4, 1 << 7, 1 << 8
_BLANKS = " \t\n\v\f\r"
_RUN_OF_BLANKS = re.compile(f"[{_BLANKS}]*")
_NO_CANCEL: Callable[[], bool] = bool

_WORD = re.compile(r"(?<=\S) (?=[^\W\d_])")
"""Where a text may be cut so that its parts have the same tokens as the whole: before a blank and a letter."""

_CLAUSE = re.compile(r"(?<=[^\W\d_])(?=[!-&(-/:-@\[-^{-~\u3001-\u3003\u3008-\u3011\uff01-\uff0f\uff1a-\uff20])")
"""The same where there are no blanks: after a letter, before punctuation other than an apostrophe."""

_RUN = re.compile(r"\S+|\s+")  # with a least length in it, each place of a shorter run would be tried
_ANCHOR = "\x01"


class Tokenizer:
    """Of one loaded vocabulary. Any thread, while the model is loaded."""

    def __init__(self, vocab: int, n_tokens: int, pre_tokenizer: str | None) -> None:
        self._vocab = vocab
        self._is_bpe = C.llama_vocab_type(vocab) == C.LLAMA_VOCAB_TYPE_BPE
        self._runs_regex = self._is_bpe and pre_tokenizer not in PLAIN_PRE_TOKENIZERS
        self._chunk = SENTENCE_CHUNK if pre_tokenizer in SENTENCE_PRE_TOKENIZERS else CHUNK
        controls, defined = self._read_specials(n_tokens)
        self.control_texts = tuple(sorted(controls))
        """The texts of tokens that only a template may write. A person's text never becomes one."""
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
        tokens = list(self._ends[0]) if add_special else []
        pattern = self._every_special if parse_special else self._defined_special
        for n, part in enumerate(self._parts(text, pattern)):
            if n % CANCEL_EVERY == 0 and cancelled():
                raise TokenizationCancelled
            if isinstance(part, int):
                tokens.append(part)
            else:
                self._append_raw(part.replace(mark, "") if mark else part, tokens, cancelled)
        if add_special:
            tokens += self._ends[1]
        return tokens

    def _parts(self, text: str, pattern: re.Pattern[str] | None) -> Iterator[str | int]:
        """Special tokens, and the texts between them."""
        at = 0
        for found in pattern.finditer(text) if pattern is not None else ():
            if found.start() < at:  # only the blanks that the token before took with it
                continue
            token, strips_left, strips_right = self._specials[found[0]]
            before = text[at : found.start()]
            if strips_left:
                before = before.rstrip(_BLANKS)
            if before:
                yield before
            yield token
            at = found.end()
            if strips_right:
                at = _RUN_OF_BLANKS.match(text, at).end()  # type: ignore[union-attr]  # matches everywhere
        if at < len(text):
            yield text[at:]

    def _append_raw(self, text: str, tokens: list[int], cancelled: Callable[[], bool]) -> None:
        if len(text) <= MAX_RUN:
            tokens += self._call(text)
            return
        start = 0
        for end in self._cuts(text):
            if start and cancelled():
                raise TokenizationCancelled
            tokens += self._piece(text[start:end], is_first=start == 0)
            start = end

    def _cuts(self, text: str) -> Iterator[int]:
        """Where each piece ends. They depend on nothing behind the piece, so that a text that grows keeps the tokens of
        its beginning."""
        start = 0
        while start < len(text):
            end = _cut(text, start, self._chunk)
            if self._runs_regex:
                yield from _cuts_of_runs(text, start, end)
            yield end
            start = end

    def _piece(self, text: str, *, is_first: bool) -> list[int]:
        if is_first or not self._adds_blank:
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
        if n < 0:  # only where tokens outnumber bytes
            tokens = (C.llama_token * -n)()
            n = C.llama_tokenize(self._vocab, data, len(data), tokens, -n, False, False)
        return list(tokens[:n])

    def _read_specials(
        self, n_tokens: int
    ) -> tuple[dict[str, tuple[int, bool, bool]], dict[str, tuple[int, bool, bool]]]:
        """The tokens that a text may hold as one word each: control tokens, and those that the vocabulary defines.
        Each with whether it takes the blanks before it and behind it with it."""
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

    # Computed when first needed: they call llama.cpp, which ends the process where the vocabulary is damaged.

    @cached_property
    def _anchor(self) -> list[int]:
        return self._call(_ANCHOR)

    @cached_property
    def _adds_blank(self) -> bool:
        """Whether a blank is put before each text, as SentencePiece does."""
        tokens = self._call("a")
        text = C.llama_vocab_get_text(self._vocab, tokens[0]) if tokens else b""
        return not self._is_bpe and bool(text) and text.startswith("\u2581".encode())

    @cached_property
    def _ends(self) -> tuple[list[int], list[int]]:
        """The tokens that llama.cpp puts before and behind every text."""
        data, room = b"a", 16
        tokens = (C.llama_token * room)()
        n = C.llama_tokenize(self._vocab, data, len(data), tokens, room, True, False)
        whole, text = list(tokens[: max(n, 0)]), self._call("a")
        for at in range(len(whole) - len(text) + 1):
            if whole[at : at + len(text)] == text:
                return whole[:at], whole[at + len(text) :]
        return [], []


def _cut(text: str, start: int, limit: int) -> int:
    """Where a piece that begins at `start` ends, at most `limit` characters on."""
    if len(text) - start <= limit:
        return len(text)
    for pattern in (_WORD, _CLAUSE):
        found = [match.start() for match in pattern.finditer(text, start + limit // 2, start + limit)]
        if found:
            return found[-1]
    return start + limit


def _cuts_of_runs(text: str, start: int, end: int) -> Iterator[int]:
    for run in _RUN.finditer(text, start, end):
        at = run.start()
        while run.end() - at > MAX_RUN:
            at = _cut(text, at, MAX_RUN)
            yield at


def _decoded(text: bytes | None) -> str:
    try:
        return text.decode() if text else ""
    except UnicodeDecodeError:
        return ""
