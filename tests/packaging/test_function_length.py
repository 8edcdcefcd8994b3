"""The length of functions is limited, so that most of them fit on a screen."""

from __future__ import annotations

import ast
from functools import cache

from tests.packaging.checkout import ROOT

FOLDERS = ("engine", "api", "desktop", "packaging", "tests")


@cache
def lengths() -> list[tuple[str, int]]:
    """Each function with its length: the number of lines from `def` to its last line."""
    found = []
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    name = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                    found.append((name, (node.end_lineno or node.lineno) - node.lineno + 1))
    return found


def test_no_function_has_more_than_60_lines() -> None:
    assert not [name for name, n_lines in lengths() if n_lines > 60]


def test_95_of_100_functions_have_fewer_than_30_lines() -> None:
    found = [n_lines for _, n_lines in lengths()]
    assert sum(n_lines < 30 for n_lines in found) >= 0.95 * len(found)
