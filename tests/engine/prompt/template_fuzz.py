"""Generates random chat templates, and checks that each one renders or raises Failure in bounded time and memory.

`python -m tests.soak.fuzzers tests.engine.prompt.template_fuzz SECONDS [SEED]` runs for longer than the test.
"""

from __future__ import annotations

import contextlib
import json
import random
import time
import tracemalloc

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.filters import FILTERS
from engine.prompt.jinja.methods import DICTIONARY, LIST, STRING
from engine.prompt.jinja.predicates import PREDICATES
from engine.prompt.jinja.program import Program
from engine.prompt.jinja.values import Failure, Refusal

NAMES: dict[str, object] = {
    "text": "a_b c",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a_b c"},
        {"role": "assistant", "content": "Hello\n\nthere"},
    ],
}
STEPS, BYTES = 20_000, 4 << 20
MAX_SECONDS, MAX_PEAK_BYTES = 3.0, 8 * BYTES

ATOMS = (
    "1", "0", "-1", "2.5", "100000", "10 ** 9", "'a'", "'ab c'", "'%s'", "'{}'", "''", "none", "true", "[1, 2]",
    "{'a': 1}", "messages", "text", "nothing", "range(9)", "messages[0].content", "ns.x", "ns.l", "m", "f('a')",
    "(1, 2)",
)  # fmt: skip
OPERATORS = ("+", "~", "*", "%", "-", "//", "**", "==", "<", "in", "and", "or")
TESTS = tuple(name for name in sorted(PREDICATES) if name.isalpha())


class Writer:
    """Writes one random template."""

    def __init__(self, source: random.Random) -> None:
        self._random = source

    def expression(self, depth: int = 0) -> str:
        choose = self._random.choice
        if depth > 3 or self._random.random() < 0.2:
            return choose(ATOMS)
        inner = self.expression(depth + 1)
        match self._random.randrange(9):
            case 0 | 1:
                return f"({inner} {choose(OPERATORS)} {self.expression(depth + 1)})"
            case 2 | 3:
                return f"({inner})|{choose(sorted(FILTERS))}{self._arguments(depth)}"
            case 4 | 5:
                return f"({inner}).{choose(sorted({*STRING, *LIST, *DICTIONARY}))}{self._arguments(depth) or '()'}"
            case 6:
                return f"({inner})[{choose(['0', '-1', ':', '::-1', '1:', self.expression(depth + 1)])}]"
            case 7:
                return f"({inner} is {choose(TESTS)}{self._arguments(depth)})"
            case _:
                return f"({inner} if {self.expression(depth + 1)} else {self.expression(depth + 1)})"

    def _arguments(self, depth: int) -> str:
        n = self._random.randrange(4)
        return f"({', '.join(self.expression(depth + 2) for _ in range(n))})" if n else ""

    def body(self, depth: int = 0) -> str:
        return "".join(self._statement(depth) for _ in range(self._random.randint(1, 4)))

    def _statement(self, depth: int) -> str:
        value = self.expression()
        match self._random.randrange(9) if depth < 3 else 0:
            case 0 | 1:
                return f"{{{{ {value} }}}}"
            case 2:
                return f"{{% set ns.x = {value} %}}"
            case 3:
                return f"{{% for m in {value} %}}{self.body(depth + 1)}{{% endfor %}}"
            case 4:
                return f"{{% if {value} %}}{self.body(depth + 1)}{{% else %}}{self.body(depth + 1)}{{% endif %}}"
            case 5:
                n, doubled = self._random.choice([3, 30, 3000]), "{% set ns.x = ns.x ~ ns.x %}"
                return f"{{% for m in range({n}) %}}{doubled}{self.body(depth + 1)}{{% endfor %}}"
            case 6:
                return f"{{% set ns.l = [ns.l, ns.l] %}}{{% do ns.l.append({value}) %}}"
            case 7:
                return f"{{% set x %}}{self.body(depth + 1)}{{% endset %}}{{% set ns.x = x ~ x %}}"
            case _:
                return "some text\n"

    def template(self) -> str:
        return f"{{% set ns = namespace(x='ab', l=[1]) %}}{{% macro f(s) %}}{self.body(2)}{{% endmacro %}}{self.body()}"


def fuzz(seconds: float, seed: int) -> list[str]:
    """Tests random templates until the time is over or one exceeds a limit. Returns a description of the template that
    exceeded a limit, if any."""
    source, end, found = random.Random(seed), time.monotonic() + seconds, ""
    tracemalloc.start()
    try:
        while not found:
            found = _finding(Writer(source).template())
            if time.monotonic() > end:
                break
    finally:
        tracemalloc.stop()
    return [found] if found else []


def _finding(template: str) -> str:
    tracemalloc.reset_peak()
    held = tracemalloc.get_traced_memory()[0]
    started = time.thread_time()
    with contextlib.suppress(Failure, Refusal):
        Program(template).render(json.loads(json.dumps(NAMES)), Budget(STEPS, BYTES))
    took = time.thread_time() - started
    peak = tracemalloc.get_traced_memory()[1] - held
    if took > MAX_SECONDS or peak > MAX_PEAK_BYTES:
        return f"{took:.1f} s, {peak >> 20} MB: {template}"
    return ""
