"""The entry point of the frozen program. It opens the window, or runs the endpoint if started as `inglenook-serve`.

Both are one program, since two programs would each contain all of the code."""

import sys
from pathlib import Path


def main() -> int:
    """Runs the window or the endpoint. Only the modules that the chosen one needs are imported."""
    if Path(sys.argv[0]).stem == "inglenook-serve":
        from api.__main__ import main as serve

        return serve()
    from desktop.__main__ import main as open_window

    return open_window()


sys.exit(main())
