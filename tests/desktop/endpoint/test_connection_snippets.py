"""Tests of the configuration snippets for tools: each is valid TOML, JSON or Python."""

from __future__ import annotations

import json
import tomllib

from desktop.endpoint.connection_snippets import snippets


def test_each_snippet_is_valid_in_its_format() -> None:
    texts = {each.name: each.text for each in snippets(4645, "ink-key", "tiny", "Hi")}
    assert tomllib.loads(texts["Codex CLI"])["model_providers"]["inglenook"]["wire_api"] == "responses"
    assert json.loads(texts["llama.vscode"])["llama-vscode.endpoint"] == "http://127.0.0.1:4645"
    for name in ("Python", "LangChain"):
        compile(texts[name], name, "exec")
