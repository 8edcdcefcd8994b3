"""PySide's import hook, which `desktop.__main__` restricts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

IMPORT = """
import inspect, sys
sys.path.insert(0, sys.argv[1])
import desktop.__main__

def refuse(module):
    raise AssertionError(f"the source of {module} is read")

inspect.getsource = refuse
import lazy_module
print(sorted(lazy_module.asked))
"""

LAZY_MODULE = """
asked = set()

def __getattr__(name):
    asked.add(name)
    raise AttributeError(name)

import colorsys
"""


def test_imports_read_no_source_and_inspect_no_incomplete_module(tmp_path: Path) -> None:
    (tmp_path / "lazy_module.py").write_text(LAZY_MODULE)
    command = [sys.executable, "-c", IMPORT, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "__wrapped__" not in done.stdout
