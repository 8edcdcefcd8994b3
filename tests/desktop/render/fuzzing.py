"""Fuzzes the renderer with random Markdown and formulas. Time, memory and output size must stay within limits.

`python -m tests.desktop.render.fuzzing SECONDS [SEED]` prints the violations; the exit code is 1 if there are any."""

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

N_CHARACTERS = 2_500
MAX_GROWTH, SLACK_S = 9.0, 0.2
"""If a text becomes four times as long, rendering it may take this many times as long, plus these seconds."""
BYTES_PER_CHARACTER, SLACK_BYTES = 3_500, 4_000_000

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
class Violation:
    """A limit that was exceeded, and the text that caused it."""

    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.what}: {self.text[:120]!r}"


def repeated(piece: str, n_characters: int) -> str:
    return piece * (n_characters // len(piece))


def mixed(rng: random.Random, n_characters: int) -> str:
    """Random Markdown: a few pieces, in an order that is repeated or random."""
    pieces = [rng.choice(PIECES) for _ in range(rng.randint(1, 6))]
    if rng.random() < 0.6:
        return repeated("".join(pieces), n_characters)
    parts: list[str] = []
    while sum(map(len, parts)) < n_characters:
        parts += rng.choices(pieces, k=100)
    return "".join(parts)


def nested(rng: random.Random, n_characters: int) -> str:
    """A text of deeply nested brackets, quotes or lists."""
    opening, closing = rng.choice((("[", "]"), ("> ", ""), ("- ", ""), ("**a ", "**"), ("![", "](b)"), ("\\(", "\\)")))
    n = n_characters // (len(opening) + len(closing))
    return opening * n + "x" + closing * n


def render(text: str) -> None:
    """Does all rendering of a text that precedes its layout, both as an answer and as a user message."""
    for block, _ in _parse(text, footnotes=True):
        if block.kind == "code":
            code_html(block.code, block.language)
    user_message_blocks(text)


def check_text(make: Callable[[int], str]) -> Iterator[Violation]:
    """Checks that rendering time is linear in the length of a text, and that memory is limited. `make(n)` returns a
    text of about `n` characters."""
    short, long = make(N_CHARACTERS), make(4 * N_CHARACTERS)
    before, after = _seconds(short), _seconds(long)
    if after > MAX_GROWTH * before + SLACK_S and _seconds(long) > MAX_GROWTH * _seconds(short) + SLACK_S:
        yield Violation(f"{len(short)} characters take {before:.2f} s, {len(long)} take {after:.2f} s", long)
    tracemalloc.start()
    try:
        render(short)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > BYTES_PER_CHARACTER * len(short) + SLACK_BYTES:
        yield Violation(f"{len(short)} characters take {peak / 1e6:.0f} MB", short)


def check_growing(text: str) -> Iterator[Violation]:
    """Checks that each update of a streaming text takes limited time, even if the text is long."""
    growing, slowest = IncrementalMarkdown(), 0.0
    for end in range(2_000, len(text) + 1, 2_000):
        started = time.thread_time()
        growing.feed(text[:end])
        slowest = max(slowest, time.thread_time() - started)
    if slowest > 1.0:
        yield Violation(f"one change took {slowest:.2f} s", text)


def check_formula(source: str) -> Iterator[Violation]:
    started = time.thread_time()
    made = formula(source, display=True)
    seconds = time.thread_time() - started
    if seconds > 2 * LIMIT_S:
        yield Violation(f"a formula took {seconds:.2f} s", source)
    if made is not None and (made.width > MAX_WIDTH or made.ascent + made.descent > MAX_HEIGHT):
        yield Violation(f"a formula is {made.width:.0f} wide", source)
    markup = mathml(source, display=True) or ""
    if "<script" in markup or "href=" in markup:
        yield Violation("MathML with active content", source)


def fuzz(seconds: float, seed: int) -> list[str]:
    """Fuzzes for about `seconds`, and returns the violations found."""
    rng, end = random.Random(seed), time.monotonic() + seconds
    formula("x", display=True)  # this call imports the typesetter, whose import must not be measured
    found: list[Violation] = []
    while time.monotonic() < end:
        state = rng.getrandbits(64)
        kind = rng.choice((mixed, mixed, nested))
        found += check_text(lambda n, kind=kind, state=state: kind(random.Random(state), n))  # type: ignore[misc]
        found += check_growing(mixed(rng, 3 * N_CHARACTERS))
        source = "".join(rng.choices(COMMANDS, k=rng.randint(1, 60)))
        found += check_formula(source[:MAX_LENGTH])
    return [str(violation) for violation in found]


def _seconds(text: str) -> float:
    user_message_blocks.cache_clear()
    started = time.thread_time()
    render(text)
    return time.thread_time() - started


if __name__ == "__main__":
    violations = fuzz(
        float(sys.argv[1]) if len(sys.argv) > 1 else 60.0, int(sys.argv[2]) if len(sys.argv) > 2 else 4645
    )
    sys.stdout.writelines(f"{violation}\n" for violation in violations)
    sys.exit(1 if violations else 0)
