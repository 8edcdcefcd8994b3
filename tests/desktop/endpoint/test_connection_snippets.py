"""Configuration snippets are valid in their formats."""

from __future__ import annotations

import json
import tomllib

from desktop.endpoint.connection_snippets import snippets


def test_snippets_that_are_data_can_be_read() -> None:
    made = {each.name: each.text for each in snippets(4645, "ink-key", "tiny", "Hi")}
    assert tomllib.loads(made["Codex CLI"])["model_providers"]["inglenook"]["wire_api"] == "responses"
    assert json.loads(made["llama.vscode"])["llama-vscode.endpoint"] == "http://127.0.0.1:4645"
    for name in ("Python", "LangChain"):
        compile(made[name], name, "exec")
