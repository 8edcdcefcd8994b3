"""The entry point of the frozen program: the window, or the endpoint if started as `inglenook-serve`.

One program for both, since each would contain all of the code."""

import sys
from pathlib import Path


def main() -> int:
    """Runs the window or the endpoint, and imports the modules of that program only."""
    if Path(sys.argv[0]).stem == "inglenook-serve":
        from api.__main__ import main as serve

        return serve()
    from desktop.__main__ import main as open_window

    return open_window()


sys.exit(main())
