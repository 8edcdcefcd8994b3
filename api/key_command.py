"""`inglenook-serve key`: creates, lists and revokes named keys."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from api.authentication import KeyFile, KeyLimits
from engine.files.profile import Profile


def main(argv: Sequence[str]) -> int:
    """Runs the command and returns the exit code. Prints keys on stdout, one per line, and an error as one sentence on
    stderr."""
    options = _read_options(argv)
    profile = Profile(options.profile) if options.profile else Profile.default()
    try:
        keys = KeyFile(profile.ensure().named_keys)
        match options.action:
            case "add":
                print(keys.add(options.name))
                print("This is the only time that the key is shown.", file=sys.stderr)
            case "limit":
                limits = KeyLimits(options.requests, options.tokens_per_day, tuple(options.model) or None)
                keys.limit(options.name, limits)
            case "revoke":
                keys.revoke(options.name)
            case _:
                for key in keys.read():
                    print(f"{key.name}\t{time.strftime('%Y-%m-%d %H:%M', time.localtime(key.made_at))}")
    except (OSError, ValueError) as error:
        print(f"inglenook-serve: {error}", file=sys.stderr)
        return 1
    return 0


def amount(text: str) -> int:
    """Parses a limit. argparse uses this function's name in its error "invalid amount value"."""
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def _read_options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="inglenook-serve key", description="Keys for single tools.")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="the folder of keys and models")
    actions = parser.add_subparsers(dest="action", required=True)
    for name, what in (("add", "creates a key and shows it once"), ("revoke", "revokes a key")):
        actions.add_parser(name, help=what).add_argument("name", metavar="NAME")
    limit = actions.add_parser("limit", help="replaces the limits of a key; without options, removes them")
    limit.add_argument("name", metavar="NAME")
    limit.add_argument("--requests", type=amount, metavar="N", help="requests in progress at the same time")
    limit.add_argument("--tokens-per-day", type=amount, metavar="N", help="tokens of prompts and answers a day")
    limit.add_argument("--model", action="append", default=[], metavar="ID", help="a model that it may use; repeatable")
    actions.add_parser("list", help="lists the keys")
    return parser.parse_args(argv)
