"""Markdown and formulas made at random, to find what takes too long or too much memory to be shown.

`python -m tests.desktop.render.fuzzing SECONDS [SEED]` prints what went beyond a bound; exit code 1 where something
did."""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from desktop.render.code_highlighting import code_html
from desktop.render.formula_rendering import LIMIT_S, MAX_HEIGHT, MAX_LENGTH, MAX_WIDTH, formula, mathml
from desktop.render.markdown import IncrementalMarkdown, _parse
from desktop.render.user_markdown import user_message_blocks

LETTERS = 2_500
GROWTH, SLACK_S = 9.0, 0.2
"""Four times the text may take so many times as long, and so much more."""
BYTES_A_LETTER, SLACK_BYTES = 3_500, 4_000_000

PIECES = (
    "[", "]", "![", "](", "](<", "](a)", "[a]: b", "[a]: b \"", "*", "**", "*a", "a*", "_", "_a", "~~", "~", "`",
    "``", "|", "|a", "|-", "<", "<a", "<http:", "<!--", "&", "&#1", "&a;", ">", "> ", "- ", "1. ", "+ ", "#", "# ",
    "$", "$a", "a$ ", "$$", "$$a", "\\(", "\\)", "\\[", "\\]", "[^", "[^a]", "[^a]: b", "\\", "\n", "\n\n", "  ",
    "    ", "\t", "a", "a ", "```", "```a\n", "~~~\n", "===\n", "---\n", "- - -\n", "|a|\n|-|\n", "\u2028", "\u0627",
    "\u6f22", "\U0001f469\u200d", "\ud800", "\x00", "a\u0301", "http://a.b ", "\r\n", ">a\n", "- a\n", "  - a\n",
    "1) a\n", "\\$", "$|x|$", "|$a|b$|\n",
)  # fmt: skip
COMMANDS = (
    r"\frac{", r"\sqrt{", "^{", "_{", "}", "}{", r"\left(", r"\right)", r"\hspace{99999em}", r"\hspace{-9999em}",
    r"\rule{9999em}{9999em}", r"\kern1e9em", r"\begin{matrix}", r"\end{matrix}", "&", r"\\", r"\\[999em]", r"\text{",
    r"\mathrm{", r"\binom{", r"\sum", r"\int_0^1", "x", "1", "+", r"\overbrace{", r"\color{red}", r"\alpha", " ", "<",
    r"\href{javascript:x}{y}", r"\begin{array}{cc}", r"\end{array}", "\ud800", "\u6f22", "'", "$", "#", "%", r"\Huge ",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something beyond its bound, and the text that it happened with."""

    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.what}: {self.text[:120]!r}"


def repeated(piece: str, n_letters: int) -> str:
    return piece * (n_letters // len(piece))


def mixed(chance: random.Random, n_letters: int) -> str:
    """A few pieces in an order that is repeated, or each time another."""
    some = [chance.choice(PIECES) for _ in range(chance.randint(1, 6))]
    if chance.random() < 0.6:
        return repeated("".join(some), n_letters)
    parts: list[str] = []
    while sum(map(len, parts)) < n_letters:
        parts += chance.choices(some, k=100)
    return "".join(parts)


def nested(chance: random.Random, n_letters: int) -> str:
    """Brackets, quotes and lists in each other."""
    opening, closing = chance.choice(
        (("[", "]"), ("> ", ""), ("- ", ""), ("**a ", "**"), ("![", "](b)"), ("\\(", "\\)"))
    )
    n = n_letters // (len(opening) + len(closing))
    return opening * n + "x" + closing * n


def read(text: str) -> None:
    """Everything that is done with an answer and a question before it is laid out."""
    for block, _ in _parse(text, footnotes=True):
        if block.kind == "code":
            code_html(block.code, block.language)
    user_message_blocks(text)


def check_text(make: Callable[[int], str]) -> Iterator[Finding]:
    """Whether the time to read a text grows with its length alone, and its memory is bounded."""
    short, long = make(LETTERS), make(4 * LETTERS)
    before, after = _seconds(short), _seconds(long)
    if after > GROWTH * before + SLACK_S and _seconds(long) > GROWTH * _seconds(short) + SLACK_S:
        yield Finding(f"{len(short)} letters take {before:.2f} s, {len(long)} take {after:.2f} s", long)
    tracemalloc.start()
    try:
        read(short)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > BYTES_A_LETTER * len(short) + SLACK_BYTES:
        yield Finding(f"{len(short)} letters take {peak / 1e6:.0f} MB", short)


def check_growing(text: str) -> Iterator[Finding]:
    """Whether each change of a text that grows takes a bounded time, however long the text is."""
    growing, slowest = IncrementalMarkdown(), 0.0
    for end in range(2_000, len(text) + 1, 2_000):
        started = time.thread_time()
        growing.feed(text[:end])
        slowest = max(slowest, time.thread_time() - started)
    if slowest > 1.0:
        yield Finding(f"one change took {slowest:.2f} s", text)


def check_formula(source: str) -> Iterator[Finding]:
    started = time.thread_time()
    made = formula(source, display=True)
    seconds = time.thread_time() - started
    if seconds > 2 * LIMIT_S:
        yield Finding(f"a formula took {seconds:.2f} s", source)
    if made is not None and (made.width > MAX_WIDTH or made.ascent + made.descent > MAX_HEIGHT):
        yield Finding(f"a formula is {made.width:.0f} wide", source)
    markup = mathml(source, display=True) or ""
    if "<script" in markup or "href=" in markup:
        yield Finding("MathML that acts", source)


def fuzz(seconds: float, seed: int) -> list[str]:
    """What went beyond a bound in about so many seconds."""
    chance, end = random.Random(seed), time.monotonic() + seconds
    formula("x", display=True)  # loads what makes them
    found: list[Finding] = []
    while time.monotonic() < end:
        state = chance.getrandbits(64)
        kind = chance.choice((mixed, mixed, nested))
        found += check_text(lambda n, kind=kind, state=state: kind(random.Random(state), n))  # type: ignore[misc]
        found += check_growing(mixed(chance, 3 * LETTERS))
        source = "".join(chance.choices(COMMANDS, k=chance.randint(1, 60)))
        found += check_formula(source[:MAX_LENGTH])
    return [str(finding) for finding in found]


def _seconds(text: str) -> float:
    user_message_blocks.cache_clear()
    started = time.thread_time()
    read(text)
    return time.thread_time() - started


if __name__ == "__main__":
    findings = fuzz(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, int(sys.argv[2]) if len(sys.argv) > 2 else 4645)
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    sys.exit(1 if findings else 0)
