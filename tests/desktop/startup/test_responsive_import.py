"""How `desktop.app` is imported while the window is visible."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from desktop.startup.responsive_import import import_responsively

ROOT = Path(__file__).parents[3]

CLASSES_BY_THREAD = """
import builtins, sys, threading
from pathlib import Path
from PySide6.QtCore import QObject, QTimer

build_class = builtins.__build_class__

def recording(function, name, *bases, **options):
    made = build_class(function, name, *bases, **options)
    is_qt_class = isinstance(made, type) and issubclass(made, QObject)
    if is_qt_class and threading.current_thread() is not threading.main_thread():
        print("defined on another thread:", made, flush=True)
    return made

builtins.__build_class__ = recording

from desktop.launch import launch
import desktop.launch as launching
from desktop.startup.options import Options
from engine.files.profile import Profile

real = launching._import_app
def import_app(window):
    module = real(window)
    def visit(names):
        if not names:
            window.quit()
            return
        window.show_page(names[0])
        QTimer.singleShot(300, lambda: visit(names[1:]))
    QTimer.singleShot(1500, lambda: visit(["models", "endpoint", "settings", "help", "chat"]))
    return module
launching._import_app = import_app
sys.exit(launch(Options(Profile(Path(sys.argv[1])), Path(sys.argv[1]) / "missing.gguf")))
"""


def test_no_qt_class_is_defined_on_another_thread(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLASSES_BY_THREAD, str(tmp_path)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stdout + ended.stderr


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a package with 20 modules, each of which takes 5 ms to load."""
    folder = tmp_path / "slow_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("\n".join(f"from slow_package import m{i}" for i in range(20)))
    for i in range(20):
        (folder / f"m{i}.py").write_text("import time\ntime.sleep(0.005)\n")
    monkeypatch.syspath_prepend(tmp_path)
    return "slow_package"


def test_events_are_handled_between_modules(qapp: QApplication, package: str) -> None:
    ticks: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(1)
    finders = list(sys.meta_path)
    assert import_responsively(package).m19 is sys.modules[f"{package}.m19"]
    timer.stop()
    assert len(ticks) >= 5
    assert sys.meta_path == finders


def test_failed_import_raises_its_error(qapp: QApplication) -> None:
    finders = list(sys.meta_path)
    with pytest.raises(ModuleNotFoundError):
        import_responsively("desktop.no_such_module")
    assert sys.meta_path == finders
