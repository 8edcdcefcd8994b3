"""Which models of a library can be the draft model of another one."""

from __future__ import annotations

from collections.abc import Sequence

from engine.library.model_scan import ModelFile

_VOCABULARY = ("tokenizer.ggml.model", "tokenizer.ggml.tokens", "tokenizer.ggml.merges")
"""Header entries that are equal for models with the same vocabulary: its kind, and the numbers of tokens and merge
rules."""


def draft_candidates(model: ModelFile, files: Sequence[ModelFile]) -> list[ModelFile]:
    """The smaller models whose headers indicate the same vocabulary, the smallest first. Whether every token is equal
    is checked when the draft model is loaded."""
    if model.metadata is None or "tokenizer.ggml.tokens" not in model.metadata.values:
        return []
    wanted = [model.metadata.values.get(key) for key in _VOCABULARY]
    found = [
        each
        for each in files
        if each.metadata is not None
        and each.size_bytes < model.size_bytes
        and [each.metadata.values.get(key) for key in _VOCABULARY] == wanted
    ]
    return sorted(found, key=lambda each: each.size_bytes)
