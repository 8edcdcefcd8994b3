"""Entry point of the app with its chat window: `python -m desktop`."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from pathlib import Path

# The many new objects of the imports below would start a collection again and again. `desktop.platform.gui_gc`
# collects later.
gc.disable()

from desktop.platform.pyside_features import ignore_features  # noqa: E402

# The imports below are faster without PySide's hook.
ignore_features()

from desktop.launch import launch  # noqa: E402
from desktop.startup.options import Options  # noqa: E402
from engine.files.profile import Profile  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    if getattr(sys, "frozen", False) and (exit_code := _run_as_child(sys.argv[1:])) is not None:
        return exit_code
    parser = argparse.ArgumentParser(prog="inglenook", description="Chat with a model that runs on this computer.")
    parser.add_argument("--model", type=Path, metavar="PATH", help="a GGUF file, instead of the last one used")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="where chats and settings lie")
    parser.add_argument("--port", type=_port, metavar="N", help="the endpoint's port")
    parser.add_argument("--quick-ask", action="store_true", help="ask something in a small window above all others")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # This level applies only to standard error. The log file also contains lower levels.
    logging.getLogger().handlers[0].setLevel(logging.WARNING)
    profile = Profile(given.profile.absolute()) if given.profile else Profile.default()
    return launch(Options(profile, given.model.absolute() if given.model else None, given.port, given.quick_ask))


def _run_as_child(arguments: list[str]) -> int | None:
    """Runs the task of a child process, if this packaged program was started as one, and returns the exit code.

    Returns None if the program was started by the user. A packaged program has no Python interpreter, so it starts
    itself."""
    from desktop.chat.attachments.document_process import run_as_document_reader
    from desktop.import_export.reader_process import run_as_reader
    from engine.native import run_as_child

    gc.enable()
    for run in (run_as_child, run_as_document_reader, run_as_reader):
        if (exit_code := run(arguments)) is not None:
            return exit_code
    return None


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65_536:
        raise argparse.ArgumentTypeError(f"{port} is no port")
    return port


if __name__ == "__main__":
    sys.exit(main())
