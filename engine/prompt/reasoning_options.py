"""Thinking on, off, and how hard: which arguments a chat template takes for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SCALE = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_OFF = ("no_think", "none", "minimal")
_LEVEL = re.compile(r"""['"](no_think|none|minimal|low|medium|high|xhigh|max)['"]""")
_EFFORTS = ("reasoning_effort", "thinking_effort", "reasoning_strength")
_WEIGHS = re.compile(rf"\b({'|'.join(_EFFORTS)}|thinking_budget)\b")
_BUDGETS = {"minimal": 512, "low": 1024, "medium": 4096}

_FREE = r"(?<![.\w])"  # a name of the template's own, not a field of something
_IS_DEFINED = r"is (?:not )?(?:un)?def"
_SWITCHES = (
    (re.compile(rf"{_FREE}enable_thinking\b(?!\s*=[^=])"), "enable_thinking", True, False),
    (re.compile(r"\bthinking_mode =="), "thinking_mode", "enabled", "disabled"),
    (re.compile(r"\bthinking_budget =="), "thinking_budget", -1, 0),
    (re.compile(rf"if (?:not )?thinking\s*(?:-?%|and)|{_FREE}thinking {_IS_DEFINED}"), "thinking", True, False),
    (re.compile(rf"if reasoning\s*-?%|{_FREE}reasoning {_IS_DEFINED}"), "reasoning", True, False),
)
"""What shows in a template that it takes a switch; the argument's name; its value for on and for off."""


@dataclass(frozen=True, slots=True)
class ReasoningArguments:
    """`arguments` are for the template. Where it `has_switch` or `has_effort` not, what was asked has no effect."""

    arguments: dict[str, object] = field(default_factory=dict)
    has_switch: bool = False
    """Whether thinking can be turned on and off."""
    has_effort: bool = False
    """Whether it can be told how hard to think."""


def reasoning_arguments(template: str | None, enabled: bool | None, effort: str | None) -> ReasoningArguments:
    """`enabled` None leaves it to the template. `effort` is one of none, minimal, low, medium, high, xhigh, max, or
    None; "none" turns thinking off. A level that the template does not know becomes the nearest that it knows; where it
    knows none, "minimal" is "none"."""
    text = template or ""
    if effort == "none" or (effort == "minimal" and enabled is None and not _WEIGHS.search(text)):
        enabled, effort = False, None
    arguments: dict[str, object] = {}
    has_switch = has_effort = False
    for sign, name, on, off in _SWITCHES:
        # DeepSeek's templates take `thinking` from `enable_thinking`; one of the two is enough.
        if has_switch or not sign.search(text):
            continue
        has_switch = True
        if enabled is not None:
            arguments[name] = on if enabled else off
        if name == "thinking_budget":
            has_effort = True
            if effort is not None and enabled is not False:
                arguments[name] = _BUDGETS.get(effort, -1)
    for name in _EFFORTS:
        if not re.search(rf"\b{name}\b", text):
            continue
        has_effort = True
        levels = _levels(text, name)
        off_level = next((level for level in _OFF if level in levels), None)
        if enabled is False and not has_switch and off_level:
            arguments[name] = off_level
        elif enabled is not False and effort is not None:
            arguments[name] = _nearest(effort, levels)
        has_switch = has_switch or off_level is not None
    return ReasoningArguments(arguments, has_switch, has_effort)


def _levels(template: str, name: str) -> frozenset[str]:
    """The levels that the template compares the argument with."""
    lines = [line for line in template.splitlines() if name in line]
    return frozenset(level for line in lines for level in _LEVEL.findall(line))


def _nearest(effort: str, levels: frozenset[str]) -> str:
    known = [level for level in _SCALE if level in levels and level not in _OFF]
    if len(known) < 2 or effort in known or effort not in _SCALE:
        return effort
    return min(known, key=lambda level: abs(_SCALE.index(level) - _SCALE.index(effort) - 0.1))
