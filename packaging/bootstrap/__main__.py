"""Runs the command NAME of the Makefile: `python3 -m bootstrap NAME [ARGS]`, with `packaging` on PYTHONPATH."""

from __future__ import annotations

import os
import shutil
import sys

FIRST, LAST = (3, 11), (3, 13)


def unsupported_python_reason() -> str | None:
    """The reason why this version of Python is not supported, or None.

    This function runs on any Python 3. Modules that require a newer version are imported only after this check."""
    if FIRST <= sys.version_info[:2] <= LAST:
        return None
    found = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    return "Inglenook needs Python 3.11 to 3.13 and {} is {}: name another one, as in `make run PYTHON={}`.".format(
        sys.executable, ".".join(map(str, sys.version_info[:3])), found[0] if found else "python3.12"
    )


if __name__ == "__main__":
    # Child processes that run Python must not import modules from `packaging/`.
    os.environ.pop("PYTHONPATH", None)
    problem = unsupported_python_reason()
    if problem:
        sys.exit(problem)
    from .commands import main

    sys.exit(main(sys.argv[1:]))
