"""Prints as JSON what is installed in the environment that runs this: each package, its files, its licence.

Run as a script by the shipped environment's own Python, so it imports nothing of ours.
"""

from __future__ import annotations

import json
from importlib.metadata import Distribution, distributions


def licence(distribution: Distribution) -> str:
    """What a package says of its licence, in the newest form that it uses."""
    said = distribution.metadata
    for field in ("License-Expression", "License"):
        # Some packages put the whole text there.
        for text in said.get_all(field) or []:
            if text.strip() and len(text) < 80:
                return str(text).strip()
    classifiers = [each for each in said.get_all("Classifier") or [] if each.startswith("License ::")]
    return " AND ".join(each.rpartition(" :: ")[2] for each in classifiers)


def describe(distribution: Distribution) -> dict[str, object]:
    """`files` as absolute paths, so that what a freeze took can be told from what it left."""
    files = [str(distribution.locate_file(path)) for path in distribution.files or ()]
    texts = [path for path in files if ".dist-info/" in path.replace("\\", "/") and is_licence(path)]
    return {
        "name": distribution.metadata["Name"],
        "version": distribution.version,
        "licence": licence(distribution),
        "files": files,
        "texts": texts,
    }


def is_licence(path: str) -> bool:
    """Whether a file is a licence text, by its name."""
    name = path.replace("\\", "/").rpartition("/")[2].upper()
    return name.startswith(("LICEN", "COPYING", "NOTICE", "AUTHORS")) or "/licenses/" in path.replace("\\", "/")


if __name__ == "__main__":
    print(json.dumps([describe(each) for each in distributions()]))
