"""Options of `inglenook-serve` for encrypted connections."""

from __future__ import annotations

import argparse
import ssl
from pathlib import Path


def add_tls_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tls-cert", type=Path, metavar="PATH", help="encrypts connections with this certificate (PEM)"
    )
    parser.add_argument("--tls-key", type=Path, metavar="PATH", help="its private key, if it is in another file")


def tls_problem(options: argparse.Namespace) -> str | None:
    """Returns why the certificate cannot be used; None if it can, or if there is none. Blocks: it reads the files."""
    if options.tls_cert is None:
        return None if options.tls_key is None else "--tls-key needs --tls-cert"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without the function, OpenSSL would ask for the password of an encrypted key on the terminal.
        context.load_cert_chain(options.tls_cert, options.tls_key, password=_no_password)
    except ssl.SSLError:
        return "the certificate and its key do not fit together, or are not valid PEM files"
    except OSError as error:
        return f"the certificate cannot be read: {error.strerror}"
    except ValueError as error:
        return str(error)
    return None


def _no_password() -> str:
    raise ValueError("the private key is encrypted")
