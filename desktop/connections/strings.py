"""Texts about connections to other servers. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.connections.connection_state import ConnectionState
from desktop.error_messages import error_message
from desktop.platform.number_format import whole
from engine.chat_engine import ChatModel, EngineStatus
from engine.remote.connection import DEFAULT_PORTS, Connection, is_loopback
from engine.remote.discovery import FoundServer
from engine.remote.remote_model import RemoteModel

translate = QCoreApplication.translate

PROGRAMS = {
    "llama.cpp": "llama.cpp",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "ollama": "Ollama",
    "lmstudio": "LM Studio",
    "inglenook": "Inglenook",
}
"""The names of the programs by their kind. Names are not translated."""

MAX_NAMED = 3
EXAMPLE_ADDRESS = "http://gpu-box:8000"


def presets() -> dict[str, str]:
    """The names of the presets for an address, by the kind of server."""
    return {"auto": translate("connections", "Any program"), **PROGRAMS, "openai": translate("connections", "Other")}


def usual_address(kind: str) -> str:
    """The address on this computer at which the program listens unless it is told otherwise."""
    port = DEFAULT_PORTS.get(kind)
    return "" if port is None else f"http://localhost:{port}"


def place(model: ChatModel | None) -> str:
    """The line below the composer: where the model computes, and so where the words go."""
    if model is None or not model.host:
        return translate("connections", "Runs on this computer. Nothing leaves it.")
    if not is_loopback(model.host):
        return translate("connections", "Runs on {host}. What you write is sent there.").format(host=model.host)
    program = PROGRAMS.get(model.kind) if isinstance(model, RemoteModel) else None
    if program is None:
        return translate("connections", "Runs on this computer, in another program.")
    return translate("connections", "Runs on this computer, in {program}.").format(program=program)


def greeting(status: EngineStatus) -> str:
    """The text of an empty chat if a model elsewhere answers; "" for a local one."""
    model = status.model
    if model is None or not model.host:
        return ""
    if status.state == "loading":
        text = translate("connections", "Connecting to {host}. You can already write; the model answers when it can.")
        return text.format(host=model.host)
    if status.state != "ready":
        return translate("connections", "The model on {host} is not available now.").format(host=model.host)
    if is_loopback(model.host):
        return translate("connections", "A model in another program on this computer answers here.")
    return translate("connections", "A model on {host} answers here. What you write is sent there.").format(
        host=model.host
    )


def address(connection: Connection) -> str:
    return connection.address.removeprefix("http://")


def state_line(state: ConnectionState) -> str:
    """Whether a server can be reached, and what it has."""
    match state.stage:
        case "asking":
            return translate("connections", "Connecting…")
        case "failed" if state.error is not None:
            return error_message(state.error)
        case "reachable" if state.found is not None:
            return found_line(state.found)
        case _:
            return translate("connections", "Not asked yet")


def found_line(found: FoundServer) -> str:
    """Program, latency and number of models of a server."""
    program = " ".join(filter(None, (PROGRAMS.get(found.kind, ""), found.version)))
    milliseconds = translate("connections", "{n} ms").format(n=whole(max(1, round(found.latency_s * 1000))))
    models = translate("connections", "models: {n}").format(n=whole(len(found.models)))
    return " · ".join(filter(None, (program, milliseconds, models)))


def found_models(found: FoundServer) -> str:
    """The first models of a server with their context length."""
    n_tokens = translate("connections", "{n} tokens")
    lines = [
        f"{model.name} · {n_tokens.format(n=whole(model.n_ctx))}" if model.n_ctx else model.name
        for model in found.models[:MAX_NAMED]
    ]
    n_more = len(found.models) - len(lines)
    if n_more:
        lines.append(translate("connections", "and {n} more").format(n=whole(n_more)))
    return "\n".join(lines) or translate("connections", "The server has no model.")


def key_place(state: ConnectionState) -> str:
    """Where the key is stored; "" if there is none."""
    return {
        "keyring": translate("connections", "key in the system's keyring"),
        "file": translate("connections", "key in a private file, because no keyring works here"),
    }.get(state.key_place or "", "")
