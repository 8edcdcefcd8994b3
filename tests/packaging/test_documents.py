"""Paths and commands in the documents exist, and the README and the steps in architecture.md have a limited length."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.bench.__main__ import FIGURES

ROOT = Path(__file__).resolve().parents[2]
PLACES = re.compile(r"`((?:[\w.-]+/)+[\w.*-]*|[\w*]+\.(?:py|md|toml))`")
DOCUMENTS = [
    "README.md", "CONTRIBUTING.md", "SECURITY.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
]  # fmt: skip


@pytest.fixture(scope="module")
def files() -> list[str]:
    """Paths of all files and folders in the repository: relative to its root, and separated by `/`."""
    tops = (".github", "api", "desktop", "docs", "engine", "packaging", "resources", "tests")
    found = [path for top in tops for path in (ROOT / top).rglob("*") if "__pycache__" not in path.parts]
    return [path.relative_to(ROOT).as_posix() for path in [*found, *ROOT.glob("*")]]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_in_a_document_exists(name: str, files: list[str]) -> None:
    named = PLACES.findall((ROOT / name).read_text(encoding="utf-8"))
    made = ("build/", "org/", "inglenook/")
    missing = [
        place for place in named
        if not place.startswith(made) and not any(fnmatch(f"/{path}", f"*/{place.rstrip('/')}") for path in files)
    ]  # fmt: skip
    assert not missing


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_in_a_document_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())

    assert set(re.findall(r"`make ([\w-]+)", text)) <= targets
    figures = {name for names in re.findall(r"ONLY=\"?([\w. ]+)\"?`", text) for name in names.split()}
    assert figures <= set(FIGURES)
    tests = re.findall(r"`make test ARGS=([\w./]+)`", text)
    assert all((ROOT / path).exists() for path in tests)


@pytest.mark.parametrize(("path", "max_steps"), [("window", 14), ("http", 12), ("engine", 12)])
def test_architecture_md_describes_a_request_in_a_limited_number_of_steps(path: str, max_steps: int) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- path: {path} begin -->(.*?)<!-- path: {path} end -->", text, re.DOTALL)
    assert found is not None
    steps = re.findall(r"^\d+\. ", found[1], re.MULTILINE)
    assert 0 < len(steps) <= max_steps


def test_readme_has_at_most_180_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 180
