"""What helps to find out why something does not work: machine, versions, states. No chat, no key, no folder."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import psutil
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from engine.events import Status

PACKAGES = ("inglenook", "llama-cpp-python", "PySide6-Essentials", "qasync", "fastapi", "uvicorn")


def diagnostics(status: Status, endpoint: str) -> str:
    """GUI thread. `endpoint` is its stage."""
    memory = psutil.virtual_memory()
    screen = QGuiApplication.primaryScreen()
    lines = [
        *(f"{name}: {_version(name)}" for name in PACKAGES),
        f"Qt: {qVersion()} ({QGuiApplication.platformName()})",
        f"Python: {platform.python_version()}",
        f"system: {platform.platform()}",
        f"processor: {platform.machine()}, {os.cpu_count()} threads",
        f"memory: {memory.total >> 20} MB, {memory.available >> 20} MB free",
        f"screen: {screen.size().width()}×{screen.size().height()} at {screen.devicePixelRatio():g}",
        f"endpoint: {endpoint}",
        f"model: {status.state}",
    ]
    if (model := status.model) is not None:
        lines.append(f"  {model.name}, {model.size_bytes >> 20} MB, context {model.n_ctx} of {model.n_ctx_train}")
    if status.error is not None:
        lines.append(f"  {type(status.error).__name__}")
    return "\n".join(lines) + "\n"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
