"""What the documents name is there, and each command of theirs is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.__main__ import FIGURES

ROOT = Path(__file__).resolve().parents[2]
PLACES = re.compile(r"`((?:[\w.-]+/)+[\w.*-]*|[\w*]+\.(?:py|md|toml))`")
HOMES = (
    "", "api", "api/anthropic", "desktop", "desktop/chat", "desktop/store", "desktop/windows", "engine",
    "engine/output", "packaging", "tests", "tests/api", "tests/desktop", "tests/engine",
)  # fmt: skip
"""Where a name without its folder may lie."""


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_place_that_is_named_exists(name: str) -> None:
    named = PLACES.findall((ROOT / name).read_text(encoding="utf-8"))
    made = ("build/", "org/", "inglenook/")
    missing = [
        place for place in named
        if not place.startswith(made) and not any(list((ROOT / home).glob(place.rstrip("/"))) for home in HOMES)
    ]  # fmt: skip
    assert not missing
    assert len(named) > 3


def test_every_command_of_the_readme_is_one() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(
        re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    )

    assert set(re.findall(r"`make ([\w-]+)", readme)) <= targets
    figures = {name for names in re.findall(r"ONLY=\"?([\w. ]+)\"?`", readme) for name in names.split()}
    assert len(figures) > 8
    assert figures <= set(FIGURES)
    places = re.findall(r"`make test ARGS=([\w./]+)`", readme)
    assert len(places) > 5
    assert all((ROOT / place).exists() for place in places)
