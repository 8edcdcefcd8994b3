"""Tests that a start of the app waits long enough for another instance that is closing."""

from __future__ import annotations

import ast

from desktop.startup.running_instance import CLOSING_S
from tests.packaging.checkout import ROOT


def test_start_waits_longer_than_all_closing_steps_may_take() -> None:
    """Sums the limits of the `closes(name, close, timeout_s)` calls in the composition root."""
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / "desktop" / "app.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "closes"
    ]
    limits_s = [ast.literal_eval(call.args[2]) for call in calls]
    assert len(limits_s) > 8
    assert sum(limits_s) < CLOSING_S
