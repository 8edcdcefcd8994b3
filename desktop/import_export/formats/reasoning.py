"""Reasoning that other programs write into the text of an answer."""

from __future__ import annotations

import html
import re

_DETAILS = re.compile(r"<details\s([^<>]*)>(.*?)(?:</details>|\Z)", re.DOTALL)  # values are escaped: no `<` in them
_ATTRIBUTE = re.compile(r'([a-z_]+)="([^"]*)"')
_SUMMARY = re.compile(r"\s*<summary>.*?</summary>", re.DOTALL)
_THINK = re.compile(r"\s*<think>(.*?)(?:</think>|\Z)", re.DOTALL)


def split_reasoning(text: str) -> tuple[str, str, float]:
    """The answer, its reasoning, and how many seconds that took, 0 where it is not said.

    Known are Open WebUI's `<details type="reasoning">`, whose lines are quoted, and `<think>` before the answer. Open
    WebUI's calls of tools become a code block."""
    reasoning: list[str] = []
    seconds = 0.0

    def replaced(found: re.Match[str]) -> str:
        nonlocal seconds
        attributes = dict(_ATTRIBUTE.findall(found[1]))
        if attributes.get("type") == "reasoning":
            summary = _SUMMARY.match(found[2])
            reasoning.append(_unquoted(found[2][summary.end() :] if summary else found[2]))
            duration = attributes.get("duration", "")
            seconds += float(duration) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", duration) else 0.0
            return ""
        if attributes.get("type") == "tool_calls":
            return f"```json\n{html.unescape(attributes.get('name', ''))} {_arguments(attributes)}\n```\n"
        return found[0]

    if "<details " in text:
        text = _DETAILS.sub(replaced, text)
    if thought := _THINK.match(text):
        reasoning.append(thought[1].strip())
        text = text[thought.end() :]
    if not reasoning:
        return text, "", 0.0
    return text.strip(), "\n\n".join(filter(None, reasoning)), seconds


def _arguments(attributes: dict[str, str]) -> str:
    return html.unescape(attributes.get("arguments", "")).replace("```", "` ` `")


def _unquoted(text: str) -> str:
    lines = html.unescape(text).strip().split("\n")
    return "\n".join(re.sub(r"^> ?", "", line) for line in lines).strip()
