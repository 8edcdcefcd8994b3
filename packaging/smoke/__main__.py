"""Runs the smoke test of the .deb: `python3 -m smoke [DEB]`. The package's docstring describes it. Exit code 0 if all
steps succeed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

QUESTIONS = ("Answer with one word: what is the capital of France?", "Answer with one word: and of Italy?")
"""Prompts that get short answers. An answer to an open question might fill the whole context."""

SOFTWARE_DEVICE = {"GPU": "vulkan", "GGML_VK_VISIBLE_DEVICES": "0"}
"""Environment variables with which the program uses Mesa's software device, which it takes for no card otherwise."""


def main(arguments: list[str]) -> int:
    """Runs the smoke test. `arguments` may contain the path of the package to test; by default it is the package in
    dist."""
    from bootstrap.console import say
    from bootstrap.errors import SetupError

    try:
        if arguments[:1] == ["--use"]:
            _run_on_software_device() if arguments[1] == "device" else _run_session(first=arguments[1] == "first")
        else:
            _run_all(Path(arguments[0]).resolve() if arguments else None)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments[:1] != ["--use"]:
        say("The .deb works: installed, used offline, upgraded with chats kept, removed completely.")
    return 0


def _run_all(given: Path | None) -> None:
    from bootstrap.console import say
    from bootstrap.errors import SetupError
    from bootstrap.system_packages import listed
    from ship import deb
    from ship.paths import DIST, version

    from .clean_root import CleanRoot
    from .older_package import make_older
    from .user_session import OUTPUT_FOLDER

    graphics = tuple(package.name for package in listed() if package.use == "graphics")
    current = given or DIST / f"inglenook_{version()}_{deb.architecture()}.deb"
    if not current.is_file():
        raise SetupError(f"There is no {current}: `make package` makes the .deb to test.")
    older_package = make_older(current)
    root = CleanRoot()
    say("A clean Debian")
    root.make()
    # apt recommends this package, and each installed Debian has it, but debootstrap leaves it out. Packages that the
    # program recommends bring it along, and it would stay after them.
    root.run("apt-get", "install", "-q", "-y", "--no-install-recommends", "ca-certificates")
    before = root.listing()
    log = OUTPUT_FOLDER / "program.log"
    log.unlink(missing_ok=True)
    say("Installing an older version with apt, without Vulkan's loader and drivers")
    root.install(older_package, without=graphics)
    older_package.unlink()
    _expect_no_vulkan_loader(root.path)
    _run_session_offline("first")
    say("Upgrading over it with apt, and installing Vulkan's loader and drivers")
    root.install(current)
    _expect_version(root.run("dpkg-query", "-W", "-f", "${Version}", "inglenook"), current)
    root.run("apt-get", "install", "-q", "-y", "--no-install-recommends", *graphics)
    root.run("apt-mark", "auto", *graphics)  # as if they had come with the program, so that they go with it
    _run_session_offline("again")
    _expect_quiet_graphics_library(root.path, log.read_text(encoding="utf-8", errors="replace"))
    _run_session_offline("device")
    say("Removing it")
    root.run("apt-get", "purge", "-q", "-y", "--autoremove", "inglenook")
    _expect_nothing_left(root.listing() - before)
    _expect_data(root.home)


def _run_session_offline(which: str) -> None:
    """Runs the user's session in a network namespace with only the loopback device."""
    from bootstrap.errors import SetupError

    module = [sys.executable, "-m", "smoke", "--use", which]
    command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *module]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    if subprocess.run(command, env=env).returncode != 0:
        raise SetupError("The user session failed: see above.")


def _run_session(*, first: bool) -> None:
    from bootstrap.console import say
    from bootstrap.errors import SetupError

    from .clean_root import CleanRoot
    from .user_session import UserSession

    session = UserSession(CleanRoot())
    kept = session.messages()
    if not first and len(kept) < 2:
        raise SetupError("The chats of the older version are missing.")
    with session.screen():
        with session.program():
            say(f"  the window answers: {session.send(QUESTIONS[0 if first else 1])[:70]!r}")
            session.save_screenshot("window")
            session.show_endpoint_page()
            if first:
                session.press_switch()
            # The first session turned the endpoint on, so in the second session it starts by itself.
            session.wait_for_endpoint()
            say(f"  its endpoint answers: {session.request_endpoint()[:70]!r}")
            session.save_screenshot("endpoint")
        if session.messages()[: len(kept)] != kept:
            raise SetupError("Earlier chats were changed.")
        with session.server():
            session.wait_for_endpoint()
            schema = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}, "required": ["colour"]}
            form = {"type": "json_schema", "json_schema": {"name": "colour", "schema": schema}}
            say(f"  inglenook-serve answers: {session.request_endpoint(response_format=form)[:70]!r}")


def _run_on_software_device() -> None:
    """Lets the installed program compute on Mesa's software device, with the library in the package. The first answer
    takes about a minute, in which Mesa compiles shaders."""
    from bootstrap.console import say
    from bootstrap.errors import SetupError

    from .clean_root import CleanRoot
    from .user_session import UserSession

    session = UserSession(CleanRoot())
    with session.server(environment=SOFTWARE_DEVICE):
        session.wait_for_endpoint()
        found = session.graphics_cards()
        if len(found) != 1 or found[0][1] == 0:
            raise SetupError(f"The model is not on the software device: {found}")
        answer = session.request_endpoint(max_tokens=4)
        say(f"  {found[0][0]} computes {found[0][1]} layers and answers: {answer!r}")


def _expect_no_vulkan_loader(root: Path) -> None:
    from bootstrap.errors import SetupError

    if found := next(root.glob("usr/lib/**/libvulkan.so*"), None):
        raise SetupError(f"The clean Debian has a Vulkan loader already: {found}")


def _expect_version(installed: str, deb: Path) -> None:
    from bootstrap.errors import SetupError

    wanted = deb.name.split("_")[1]
    if installed != wanted:
        raise SetupError(f"After the upgrade there is version {installed}, not {wanted}.")


def _expect_quiet_graphics_library(root: Path, log: str) -> None:
    """Checks that the library for graphics cards is installed, and that the program, which has no card here, wrote
    nothing about it."""
    from bootstrap.errors import SetupError
    from ship.deb import LIB
    from ship.graphics_library import FOLDER, KIND

    if not (root / LIB / "_internal" / FOLDER / f"libggml-{KIND}.so").is_file():
        raise SetupError("The library for graphics cards is missing in the package.")
    lines = [line for line in log.splitlines() if re.search(r"vulkan|graphics card|\bgpu\b", line, re.IGNORECASE)]
    if lines:
        raise SetupError(f"Without a graphics card the program wrote: {lines[0][:300]}")


def _expect_nothing_left(left: set[str]) -> None:
    from bootstrap.errors import SetupError

    if left:
        raise SetupError(f"These files were left behind: {', '.join(sorted(left)[:20])}")


def _expect_data(home: Path) -> None:
    """Checks that removing the package has kept the user's chats."""
    from bootstrap.errors import SetupError

    if not (home / ".local/share/inglenook/chats.sqlite3").exists():
        raise SetupError("The user's chats were removed with the program.")


if __name__ == "__main__":
    # Child processes that run Python must not import modules from `packaging/`.
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main(sys.argv[1:]))
