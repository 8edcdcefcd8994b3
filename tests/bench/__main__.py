"""Runs the figures, prints them as a table and writes build/bench.json. Exit code 1 where one falls short."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from tests.bench.figure import Figure

FIGURES = {
    "window.first_paint": "tests.bench.first_paint",
    "window.stall": "tests.bench.stall",
    "window.speed": "tests.bench.window_speed",
    "app.memory": "tests.bench.memory",
    "http.speed": "tests.bench.http_speed",
    "engine.constrained": "tests.bench.constrained",
}
"""Name → the module whose `measure()` gives the Figure."""

BUILD = Path(__file__).resolve().parents[2] / "build"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        print(f"no figure is called {', '.join(unknown)}; there are: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or FIGURES:
        figure: Figure = importlib.import_module(FIGURES[name]).measure()
        figures.append(figure)
        print(figure.row(), flush=True)
    _write(figures)
    return 0 if all(figure.ok for figure in figures) else 1


def _write(figures: list[Figure]) -> None:
    """Adds to what earlier runs wrote, so that one figure can be measured again by itself."""
    BUILD.mkdir(exist_ok=True)
    path = BUILD / "bench.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    for figure in figures:
        known[figure.name] = {
            "value": figure.value,
            "bound": figure.bound,
            "unit": figure.unit,
            "against": figure.against,
            "ok": figure.ok,
        }
    path.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
