"""Writes the diagnostics for a bug report: machine, versions, states, settings, end of the log. They contain no chats,
keys or folder names."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

import psutil
from PySide6.QtCore import QLocale, qVersion
from PySide6.QtGui import QGuiApplication

from desktop.settings.all_settings import Settings
from engine.status import Status

PACKAGES = ("inglenook", "llama-cpp-python", "PySide6-Essentials", "qasync", "fastapi", "uvicorn")


SHOWN_SETTINGS = ("theme", "text_size", "tray", "stays", "notifies", "endpoint_on", "endpoint_port", "shortcuts")
"""Settings whose values are reported. The values of other settings are not, because some contain paths of folders and
files."""


def diagnostics(status: Status, endpoint: str, settings: Settings, log: Sequence[str]) -> str:
    """The text of the diagnostics. `endpoint` is the stage of the endpoint, `log` the last lines of the log file. GUI
    thread only."""
    memory = psutil.virtual_memory()
    screen = QGuiApplication.primaryScreen()
    lines = [
        *(f"{name}: {_version(name)}" for name in PACKAGES),
        f"Qt: {qVersion()} ({QGuiApplication.platformName()})",
        f"Python: {platform.python_version()}",
        f"system: {platform.platform()}",
        f"processor: {platform.machine()}, {os.cpu_count()} threads",
        f"memory: {memory.total // 10**6} MB, {memory.available // 10**6} MB free, "
        f"{psutil.Process().memory_info().rss // 10**6} MB of it taken by this process",
        f"screen: {screen.size().width()}×{screen.size().height()} at {screen.devicePixelRatio():g}",
        f"language: {QLocale().name()}",
        *_card_lines(status),
        f"endpoint: {endpoint}",
        f"model: {status.state}",
    ]
    if (model := status.model) is not None:
        lines.append(f"  {model.name}, {model.size_bytes // 10**6} MB, context {model.n_ctx} of {model.n_ctx_train}")
        if model.memory is not None and (offload := model.memory.offload).devices:
            lines.append(f"  {offload.n_layers} of {offload.n_all} layers on {', '.join(offload.devices)}")
    if status.error is not None:
        lines.append(f"  {type(status.error).__name__}")
    lines += ["settings:", *_settings_lines(settings), "log:", *(f"  {line}" for line in log)]
    return "\n".join(lines) + "\n"


def _card_lines(status: Status) -> list[str]:
    lines = []
    for backend in status.backends:
        lines += [
            f"graphics card {each.id}: {each.name} ({each.kind}), driver {each.driver or 'unknown'}, "
            f"{each.memory_total // 10**6} MB, {each.memory_free // 10**6} MB free"
            for each in backend.devices
        ]
        if backend.error:
            lines.append(f"graphics cards with {backend.kind}: {backend.error}")
    return lines or ["graphics card: none"]


def _settings_lines(settings: Settings) -> list[str]:
    chosen = asdict(settings)
    return [
        *(f"  {name}: {chosen[name]}" for name in SHOWN_SETTINGS),
        f"  model: {'chosen' if settings.model_path else 'as it comes'}",
        f"  model folders: {len(settings.model_folders)}, models with settings: {len(settings.model_settings)}",
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
