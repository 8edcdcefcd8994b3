"""Prints the installed packages of the running Python as JSON, with their files and licences.

Run as a script by the Python of the shipped environment, so it imports none of our modules.
"""

from __future__ import annotations

import json
from importlib.metadata import Distribution, distributions


def licence(distribution: Distribution) -> str:
    """The licence in a package's metadata, from the newest metadata field that it uses."""
    metadata = distribution.metadata
    for field in ("License-Expression", "License"):
        # Some packages put the whole licence text into one of these fields.
        for text in metadata.get_all(field) or []:
            if text.strip() and len(text) < 80:
                return str(text).strip()
    classifiers = [each for each in metadata.get_all("Classifier") or [] if each.startswith("License ::")]
    return " AND ".join(each.rpartition(" :: ")[2] for each in classifiers)


def describe(distribution: Distribution) -> dict[str, object]:
    """The description of a package. Its `files` are absolute paths, so that they can be compared with the files of a
    freeze.
    """
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
