"""Options of `inglenook-serve` for models besides the first one: those of a folder, of other servers, and aliases."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from pathlib import Path

from engine.remote.connection import Connection, InvalidAddress, parse_address
from engine.remote.connection_keys import ConnectionKeys

KEY_PREFIX = "INGLENOOK_KEY_"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all-models", action="store_true", help="also offers the other models in the profile's folder of models"
    )
    parser.add_argument(
        "--connect",
        type=connection,
        action="append",
        default=[],
        metavar="NAME=URL",
        help=f"also offers the models of another server; its key is in {KEY_PREFIX}NAME or in the keyring. Repeatable",
    )
    parser.add_argument(
        "--reranker", type=Path, metavar="PATH", help="a GGUF file of a reranking model, for /v1/rerank"
    )
    parser.add_argument(
        "--upstream",
        type=upstream,
        action="append",
        default=[],
        metavar="NAME=URL,URL",
        help="also offers one model that several equal servers have; each request goes to the one with the fewest",
    )
    parser.add_argument(
        "--alias", type=alias, action="append", default=[], metavar="NAME=MODEL", help="another name of a model"
    )


def connection(text: str) -> Connection:
    """Parses the value of `--connect`. argparse uses this function's name in its errors."""
    name, url = _pair(text)
    return connection_to(name, url)


def upstream(text: str) -> tuple[str, list[Connection]]:
    """Parses the value of `--upstream`. argparse uses this function's name in its errors."""
    name, urls = _pair(text)
    return name, [connection_to(name, url) for url in urls.split(",")]


def connection_to(name: str, url: str) -> Connection:
    """A connection whose id is its name, so that its key is found again. Raises ArgumentTypeError."""
    try:
        address = parse_address(url)
    except InvalidAddress as error:
        raise argparse.ArgumentTypeError(f"the address {url!r} cannot be used: {error.reason}") from None
    return Connection(name=name, address=address.root, api_path=address.api_path, id=name)


def alias(text: str) -> tuple[str, str]:
    """Parses the value of `--alias`. argparse uses this function's name in its errors."""
    name, equals, model = text.partition("=")
    if not (name and equals and model):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=MODEL")
    return name, model


def connection_key(name: str, keys: ConnectionKeys, environ: Mapping[str, str] = os.environ) -> str:
    """The key of the connection `name`: from the environment, where its name is in capitals with "_" for all other
    characters, else from the keyring. Blocks."""
    if key := environ.get(KEY_PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper()), "").strip():
        return key
    return keys.read(name)[0]


def _pair(text: str) -> tuple[str, str]:
    name, equals, rest = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=URL")
    return name, rest
