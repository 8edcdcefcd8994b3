"""Estimates the length of a prompt without a tokenizer."""

from __future__ import annotations

import math

from engine.requests import ChatRequest

CHARACTERS_PER_TOKEN = 4
"""For estimates: UTF-8 bytes, of which an English text has about four per token."""

TOKENS_PER_MESSAGE = 4


def estimated_tokens(request: ChatRequest) -> int:
    """An estimate of the prompt's length in tokens from the size of its texts."""
    texts = [request.answer_start, *(f"{tool.name}{tool.description}{tool.parameters}" for tool in request.tools)]
    for message in request.messages:
        texts.append(message.content)
        texts += (f"{call.name}{call.arguments}" for call in message.tool_calls)
    n_bytes = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return math.ceil(n_bytes / CHARACTERS_PER_TOKEN) + TOKENS_PER_MESSAGE * len(request.messages)
