"""Writes a table of all figures to build/bench.md.

`python -m tests.bench.report` copies this table into docs/benchmarks.md, between two markers."""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def machine() -> str:
    """A short description of this machine."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{psutil.cpu_count(logical=False) or os.cpu_count()} cores, {memory:.0f} GB, {system}, {_processor()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor")


def table(known: dict[str, dict[str, Any]], names: list[str]) -> str:
    """The figures as a Markdown table, including those that miss their bound or were not measured."""
    head = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {machine()}.",
        "",
        "| figure | value | required | compared with |",
    ]
    rows = [_row(name, known.get(name)) for name in names]
    return "\n".join([*head, "|---|--:|--:|---|", *rows]) + "\n"


def _row(name: str, record: dict[str, Any] | None) -> str:
    if record is None or "skipped" in record:
        why = "not measured in this run" if record is None else f"skipped: {record['skipped']}"
        return f"| `{name}` | – | | {why} |"
    sign = "≤" if record.get("must_be", "at most") == "at most" else "≥"
    value = f"{record['value']:.3g} {record['unit'] if record['unit'] != 'ratio' else ''}".strip()
    shown = value if record["ok"] else f"**{value}**, falls short"
    return f"| `{name}` | {shown} | {sign} {record['bound']:g} | {record['against'].replace('|', '/')} |"


def write(known: dict[str, dict[str, Any]], names: list[str]) -> None:
    """Writes build/bench.json and build/bench.md."""
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench.json").write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n")
    (BUILD / "bench.md").write_text(table(known, names))


def known() -> dict[str, dict[str, Any]]:
    """The saved figures of earlier runs. When one figure is measured again, the others are kept."""
    path = BUILD / "bench.json"
    found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    return found


def main() -> int:
    page = ROOT / "docs" / "benchmarks.md"
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.stderr.write(f"docs/benchmarks.md has no {BEGIN} … {END}\n")
        return 1
    page.write_text(f"{before}{BEGIN}\n{(BUILD / 'bench.md').read_text()}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
