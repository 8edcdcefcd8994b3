"""Runs `make test` in a clean Debian: `python3 -m trial SUITE`. The package's docstring describes it. The exit code is
that of `make test`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SUITES = ("bookworm", "trixie")
REQUIRED_PACKAGES = ("python3", "git", "make", "g++")
"""Packages that the README requires."""

_SYSTEM_PACKAGES = re.compile(r"run `sudo (apt-get install [^`]+)`")
_NETWORK_VARIABLES = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "PIP_INDEX_URL", "PIP_CERT", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS",
)  # fmt: skip
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")


def main(arguments: list[str]) -> int:
    """Runs the test. `arguments` starts with the Debian release to install. All further arguments are passed to
    pytest."""
    from bootstrap.console import say
    from bootstrap.errors import SetupError

    if not arguments or arguments[0] not in SUITES:
        print(f"Usage: trial {{{','.join(SUITES)}}} [ARGS], as in `make trial SUITE=trixie`", file=sys.stderr)
        return 2
    try:
        code = _run_tests(arguments[0], arguments[1:])
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    say(f"`make test` {'passed' if code == 0 else 'failed'} in a clean {arguments[0]}.")
    return code


def _run_tests(suite: str, test_arguments: list[str]) -> int:
    """Installs a clean Debian in a folder, clones the last commit into it and runs `make test` there as an unprivileged
    user.
    """
    from bootstrap.console import say
    from smoke.clean_root import CleanRoot

    root = CleanRoot(suite, name=f"trial-{suite}")
    say(f"A clean {suite}")
    root.make()
    say(f"Installing what the README requires: {' '.join(REQUIRED_PACKAGES)}")
    root.run("apt-get", "install", "-q", "-y", "--no-install-recommends", *REQUIRED_PACKAGES)
    environment = _network(root.path)
    _clone(root.home / "inglenook")
    command = ["make", "-C", f"/home/{root.home.name}/inglenook", "test"]
    if test_arguments:
        command.append(f"ARGS={' '.join(test_arguments)}")
    code, output = _run(root.command(*command, as_user=True, environment=environment))
    missing = _SYSTEM_PACKAGES.search(output)
    if code != 0 and missing:
        say("Running the suggested command as root")
        root.run(*missing[1].split())
        code, _ = _run(root.command(*command, as_user=True, environment=environment))
    return code


def _network(root: Path) -> dict[str, str]:
    """The network settings of this machine as environment variables: proxies, package index and certificates. The
    certificates are copied into `root`."""
    found = {name: os.environ[name] for name in _NETWORK_VARIABLES if name in os.environ}
    for name in _CERTIFICATES:
        certificates = Path(found.get(name, ""))
        if certificates.is_file():
            # Certificates are copied to another path, since the installation of ca-certificates overwrites their
            # original path.
            found[name] = f"/etc/{name.lower()}.pem"
            shutil.copyfile(certificates, root / found[name][1:])
    return found


def _clone(checkout: Path) -> None:
    """Clones the last commit. Build results and uncommitted changes are not cloned."""
    from bootstrap.console import say
    from bootstrap.paths import ROOT
    from smoke.clean_root import USER_ID

    if subprocess.run(["git", "-C", ROOT, "status", "--porcelain"], capture_output=True, text=True).stdout:
        say("  (uncommitted changes are not tested)")
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, checkout], check=True)
    subprocess.run(["chown", "-R", f"{USER_ID}:{USER_ID}", checkout], check=True)


def _run(command: list[str]) -> tuple[int, str]:
    """Runs a command and prints its output line by line. Returns the exit code and the whole output."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


if __name__ == "__main__":
    # Child processes that run Python must not import modules from `packaging/`.
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main(sys.argv[1:]))
