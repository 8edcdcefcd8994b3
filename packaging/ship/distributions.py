"""Prints the Python packages of an environment as JSON, with their files and licences.

This script is run by the Python of the environment that is shipped, so it imports none of our modules."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, distributions


def licence(distribution: Distribution) -> str:
    """The licence from a package's metadata: the field License-Expression if it is set, otherwise License, otherwise
    the classifiers."""
    metadata = distribution.metadata
    for field in ("License-Expression", "License"):
        # Some packages put the whole licence text into one of these fields.
        for text in metadata.get_all(field) or []:
            if text.strip() and len(text) < 80:
                return str(text).strip()
    classifiers = [each for each in metadata.get_all("Classifier") or [] if each.startswith("License ::")]
    return " AND ".join(each.rpartition(" :: ")[2] for each in classifiers)


def describe(distribution: Distribution) -> dict[str, object]:
    """Describes a package. The paths in `files` are absolute, so that they can be compared with the files of a
    freeze."""
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
    """Whether the path of a file shows that it is a licence text."""
    name = path.replace("\\", "/").rpartition("/")[2].upper()
    return name.startswith(("LICEN", "COPYING", "NOTICE", "AUTHORS")) or "/licenses/" in path.replace("\\", "/")


if __name__ == "__main__":
    print(json.dumps([describe(each) for each in distributions()]))
