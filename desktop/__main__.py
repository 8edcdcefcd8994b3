"""Entry point of the app with its chat window: `python -m desktop`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from desktop.chat.attachments.document_process import run_as_document_reader
from desktop.import_export.reader_process import run_as_reader
from desktop.launch import launch
from desktop.startup.options import Options
from engine.files.profile import Profile
from engine.native import run_load_trial


def main(arguments: list[str] | None = None) -> int:
    for other in (run_load_trial, run_as_document_reader, run_as_reader):
        if (duty := other(sys.argv[1:])) is not None:
            return duty
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


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65_536:
        raise argparse.ArgumentTypeError(f"{port} is no port")
    return port


if __name__ == "__main__":
    sys.exit(main())
