"""Maps the request's reasoning options (on, off, effort) to the arguments of a chat template."""

from __future__ import annotations

import re

_SCALE = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_OFF = ("no_think", "none", "minimal")
_LEVEL = re.compile(r"""['"](no_think|none|minimal|low|medium|high|xhigh|max)['"]""")
_EFFORTS = ("reasoning_effort", "thinking_effort", "reasoning_strength")
_HAS_EFFORT = re.compile(rf"\b({'|'.join(_EFFORTS)}|thinking_budget)\b")
_BUDGETS = {"minimal": 512, "low": 1024, "medium": 4096}

_FREE = r"(?<![.\w])"  # ensures that the name after it is that of a variable, not of an attribute
_IS_DEFINED = r"is (?:not )?(?:un)?def"
_SWITCHES = (
    (re.compile(rf"{_FREE}enable_thinking\b(?!\s*=[^=])"), "enable_thinking", True, False),
    (re.compile(r"\bthinking_mode =="), "thinking_mode", "enabled", "disabled"),
    (re.compile(r"\bthinking_budget =="), "thinking_budget", -1, 0),
    (re.compile(rf"if (?:not )?thinking\s*(?:-?%|and)|{_FREE}thinking {_IS_DEFINED}"), "thinking", True, False),
    (re.compile(rf"if reasoning\s*-?%|{_FREE}reasoning {_IS_DEFINED}"), "reasoning", True, False),
)
"""The known switches for reasoning. Each has a pattern that matches the templates with this switch, the name of the
template argument, and the argument's values for on and off."""


def reasoning_arguments(template: str | None, enabled: bool | None, effort: str | None) -> dict[str, object]:
    """The arguments of the chat template for reasoning; empty if the template has no matching option.

    With `enabled` None the template decides. `effort` is none, minimal, low, medium, high, xhigh, max or None; "none"
    turns reasoning off. A level that the template does not have becomes the nearest one that it has. If the template
    has no levels and `enabled` is None, "minimal" turns reasoning off."""
    text = template or ""
    if effort == "none" or (effort == "minimal" and enabled is None and not _HAS_EFFORT.search(text)):
        enabled, effort = False, None
    arguments: dict[str, object] = {}
    has_switch = False
    for pattern, name, on, off in _SWITCHES:
        # Only the first matching switch is set, because DeepSeek's templates derive `thinking` from `enable_thinking`.
        if has_switch or not pattern.search(text):
            continue
        has_switch = True
        if enabled is not None:
            arguments[name] = on if enabled else off
        if name == "thinking_budget" and effort is not None and enabled is not False:
            arguments[name] = _BUDGETS.get(effort, -1)
    for name in _EFFORTS:
        if not re.search(rf"\b{name}\b", text):
            continue
        levels = _levels(text, name)
        off_level = next((level for level in _OFF if level in levels), None)
        if enabled is False and not has_switch and off_level:
            arguments[name] = off_level
        elif enabled is not False and effort is not None:
            arguments[name] = _nearest(effort, levels)
        has_switch = has_switch or off_level is not None
    return arguments


def _levels(template: str, name: str) -> frozenset[str]:
    """The effort levels that the template compares the argument `name` with."""
    lines = [line for line in template.splitlines() if name in line]
    return frozenset(level for line in lines for level in _LEVEL.findall(line))


def _nearest(effort: str, levels: frozenset[str]) -> str:
    known = [level for level in _SCALE if level in levels and level not in _OFF]
    if len(known) < 2 or effort in known or effort not in _SCALE:
        return effort
    return min(known, key=lambda level: abs(_SCALE.index(level) - _SCALE.index(effort) - 0.1))
