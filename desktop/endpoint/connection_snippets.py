"""Configuration snippets that connect tools to the endpoint. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template


@dataclass(frozen=True, slots=True)
class Snippet:
    """A configuration text for one tool. `place` is the name of the file or program into which the user pastes the
    text; "" if the text is a shell command."""

    name: str
    place: str
    text: str


def snippets(port: int, key: str, model: str, hello: str) -> tuple[Snippet, ...]:
    """Returns a snippet for each tool. `hello` is the message that the example code sends. The snippets contain `key`
    in plain text."""
    root = f"http://127.0.0.1:{port}"
    values = {"root": root, "v1": f"{root}/v1", "key": key, "model": model, "hello": hello}
    return tuple(Snippet(name, place, Template(text).substitute(values)) for name, place, text in _TEMPLATES)


_CURL = """\
curl $v1/chat/completions \\
  -H "Authorization: Bearer $key" \\
  -H "Content-Type: application/json" \\
  -d '{"messages": [{"role": "user", "content": "$hello"}]}'"""

_PYTHON = """\
from openai import OpenAI

client = OpenAI(base_url="$v1", api_key="$key")
answer = client.chat.completions.create(
    model="$model",
    messages=[{"role": "user", "content": "$hello"}],
)
print(answer.choices[0].message.content)"""

_JAVASCRIPT = """\
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "$v1", apiKey: "$key" });
const answer = await client.chat.completions.create({
  model: "$model",
  messages: [{ role: "user", content: "$hello" }],
});
console.log(answer.choices[0].message.content);"""

_CONTINUE = """\
name: Inglenook
version: 1.0.0
schema: v1
models:
  - name: Inglenook
    provider: openai
    model: $model
    apiBase: $v1
    apiKey: $key
    roles: [chat, edit, apply]"""

_OPEN_WEBUI = """\
export OPENAI_API_BASE_URL=$v1
export OPENAI_API_KEY=$key
open-webui serve"""

_CLAUDE_CODE = """\
export ANTHROPIC_BASE_URL=$root
export ANTHROPIC_AUTH_TOKEN=$key
export ANTHROPIC_MODEL=$model
claude"""

_CODEX = """\
model = "$model"
model_provider = "inglenook"

[model_providers.inglenook]
name = "Inglenook"
base_url = "$v1"
wire_api = "responses"
env_key = "INGLENOOK_KEY"
# in the shell: export INGLENOOK_KEY=$key"""

_AIDER = """\
export OPENAI_API_BASE=$v1
export OPENAI_API_KEY=$key
aider --model openai/$model"""

_LLAMA_VSCODE = """\
{
  "llama-vscode.endpoint": "$root",
  "llama-vscode.api_key": "$key",
  "llama-vscode.endpoint_chat": "$root",
  "llama-vscode.api_key_chat": "$key",
  "llama-vscode.endpoint_tools": "$root",
  "llama-vscode.api_key_tools": "$key"
}"""

_LLAMA_CPP = """\
curl $root/completion \\
  -H "Authorization: Bearer $key" \\
  -H "Content-Type: application/json" \\
  -d '{"prompt": "$hello", "n_predict": 60}'"""

_LANGCHAIN = """\
from langchain_openai import ChatOpenAI

model = ChatOpenAI(base_url="$v1", api_key="$key", model="$model")
print(model.invoke("$hello").content)"""

_TEMPLATES = (
    ("curl", "", _CURL),
    ("Python", "pip install openai", _PYTHON),
    ("JavaScript", "npm install openai", _JAVASCRIPT),
    ("Continue", "~/.continue/config.yaml", _CONTINUE),
    ("Open WebUI", "", _OPEN_WEBUI),
    ("Claude Code", "", _CLAUDE_CODE),
    ("Codex CLI", "~/.codex/config.toml", _CODEX),
    ("aider", "", _AIDER),
    ("llama.vscode", "settings.json", _LLAMA_VSCODE),
    ("llama.cpp", "", _LLAMA_CPP),
    ("LangChain", "pip install langchain-openai", _LANGCHAIN),
)
