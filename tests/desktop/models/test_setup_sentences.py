"""Tests that the window can translate why set-up could not build the library for graphics cards."""

from __future__ import annotations

import ast
import re

from PySide6.QtCore import QCoreApplication

from desktop.error_reasons import KNOWN
from desktop.models import card_strings
from desktop.models.graphics_state import LibraryProgress
from desktop.platform.language import install_translators
from desktop.setup_sentences import MARKED
from engine.errors import Reason
from tests.packaging.checkout import ROOT

BOOTSTRAP = ROOT / "packaging" / "bootstrap"
BUILD = ("graphics_backend.py", "vulkan_toolchain.py")
"""The modules that only a build uses. It also uses some functions of checks.py and process.py."""

TASK = re.compile(r"(compiling|fetching|unpacking) \S.* for graphics cards|fetching \S.* llama.cpp( is built with)?")


def nodes_of(name: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse((BOOTSTRAP / name).read_text(encoding="utf-8"))))


def sentences_of(name: str) -> set[str]:
    """The templates of `Sentence` in a module of set-up, and the tasks of its child processes."""
    nodes = nodes_of(name)
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "Sentence"]
    texts = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    constants = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {str(text) for text in texts} | {text for text in constants if TASK.fullmatch(text)}


def causes() -> set[str]:
    """The sentences that explain the output of a child process."""
    nodes = [node for node in nodes_of("process.py") if isinstance(node, ast.Constant)]
    return {str(node.value) for node in nodes if str(node.value).endswith("{log}.")}


def test_every_sentence_and_task_of_a_build_is_marked_for_translation() -> None:
    used = {text for name in (*BUILD, "checks.py", "process.py") for text in sentences_of(name)} | causes()
    assert used | {"g++ or clang++"} == {str(text) for text in MARKED}


def test_modules_of_a_build_raise_only_translatable_sentences() -> None:
    for name in BUILD:
        raised = [node for node in nodes_of(name) if isinstance(node, ast.Call) and "SetupError" in ast.dump(node.func)]
        assert raised
        plain = [ast.unparse(node) for node in raised if isinstance(node.args[0], ast.Constant | ast.JoinedStr)]
        assert plain == []


def test_failure_of_a_build_is_shown_in_german(qapp: QCoreApplication) -> None:
    task = "compiling llama.cpp's library for graphics cards"
    assert task in KNOWN
    text = "Set-up stopped while {task}: the reason is at the end of {log}."
    install_translators(qapp, "de")
    try:
        shown = card_strings.building(LibraryProgress(0.5, Reason(text, task=task, log="build/setup.log")))
    finally:
        install_translators(qapp, "en")
    assert shown == (
        "Die Grafikkarte konnte nicht vorbereitet werden: Die Einrichtung ist abgebrochen (Kompilieren der Bibliothek "
        "von llama.cpp für Grafikkarten): Der Grund steht am Ende von build/setup.log."
    )
