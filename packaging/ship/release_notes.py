"""Prints the section of CHANGELOG.md for the version of a tag: `python3 -m ship.release_notes v1.2.3`.

The exit code is 1 if the tag differs from the version in pyproject.toml. Such a release would be offered as an update
forever, since the installed program would still have the other version."""

from __future__ import annotations

import re
import sys

from bootstrap.errors import SetupError
from bootstrap.paths import ROOT

from .paths import version


def notes(tag: str, changelog: str, of: str) -> str:
    """Returns the section of `changelog` for `of`, the version that is built. Raises SetupError if there is no such
    section, or if `tag` is the tag of another version."""
    if tag != f"v{of}":
        raise SetupError(f"The tag {tag} is not v{of}, the version that pyproject.toml names.")
    found = re.search(rf"^## \[{re.escape(of)}\](?: [^\n]*)?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise SetupError(f"CHANGELOG.md has no text below a heading `## [{of}]`.")
    return found[1].strip()


def main(tag: str) -> int:
    try:
        print(notes(tag, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version()))
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
