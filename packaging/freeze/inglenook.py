"""What a person starts: the window, or, by the name `inglenook-serve`, the endpoint alone. One program for both, since
each would carry all of the code."""

import sys
from pathlib import Path


def main() -> int:
    """Imports only what the name asks for."""
    if Path(sys.argv[0]).stem == "inglenook-serve":
        from api.__main__ import main as serve

        return serve()
    from desktop.__main__ import main as open_window

    return open_window()


sys.exit(main())
