"""`python3 -m smoke [DEB]`: see the package. Exit code 0 where all went as a person would want it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

QUESTIONS = ("Answer with one word: what is the capital of France?", "Answer with one word: and of Italy?")
"""What even a small model answers shortly: an answer to an open question may fill its whole memory."""


def main(arguments: list[str]) -> int:
    """`DEB`: the package to try; else the one in dist."""
    from bootstrap.console import say
    from bootstrap.errors import SetupError

    try:
        if arguments[:1] == ["--use"]:
            _use(first=arguments[1] == "first")
        else:
            _trial(Path(arguments[0]).resolve() if arguments else None)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments[:1] != ["--use"]:
        say("The .deb holds: installed, used offline, upgraded with chats kept, removed without a trace.")
    return 0


def _trial(given: Path | None) -> None:
    from bootstrap.console import say
    from bootstrap.errors import SetupError
    from ship import deb
    from ship.places import DIST, version

    from .clean_root import CleanRoot
    from .older import make_older

    current = given or DIST / f"inglenook_{version()}_{deb.architecture()}.deb"
    if not current.is_file():
        raise SetupError(f"There is no {current}: `make package` makes the .deb that is tried.")
    older = make_older(current)
    root = CleanRoot()
    say("A clean Debian")
    root.make()
    before = root.listing()
    say("Installing an older version with apt")
    root.install(older)
    older.unlink()
    _offline("first")
    say("Upgrading over it with apt")
    root.install(current)
    _expect_version(root.run("dpkg-query", "-W", "-f", "${Version}", "inglenook"), current)
    _offline("again")
    say("Removing it")
    root.run("apt-get", "purge", "-q", "-y", "--autoremove", "inglenook")
    _expect_nothing_left(root.listing() - before)
    _expect_data(root.home)


def _offline(which: str) -> None:
    """The person's part, in a network that holds this computer alone: nothing can be fetched, nothing can call home."""
    from bootstrap.errors import SetupError

    module = [sys.executable, "-m", "smoke", "--use", which]
    command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *module]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    if subprocess.run(command, env=env).returncode != 0:
        raise SetupError("The person could not use it: see above.")


def _use(*, first: bool) -> None:
    from bootstrap.console import say
    from bootstrap.errors import SetupError

    from .clean_root import CleanRoot
    from .person import Person

    person = Person(CleanRoot())
    kept = person.messages()
    if not first and len(kept) < 2:
        raise SetupError("The chats of the older version are not there any more.")
    with person.screen():
        with person.program():
            say(f"  the window answers: {person.ask(QUESTIONS[0 if first else 1])[:70]!r}")
            person.picture("window")
            person.show_endpoint_page()
            if first:
                person.press_switch()
            # The next time it is on by itself: the switch was left on.
            person.wait_for_endpoint()
            say(f"  its endpoint answers: {person.ask_endpoint()[:70]!r}")
            person.picture("endpoint")
        if person.messages()[: len(kept)] != kept:
            raise SetupError("The chats of before are not as they were.")
        with person.server():
            person.wait_for_endpoint()
            schema = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}, "required": ["colour"]}
            form = {"type": "json_schema", "json_schema": {"name": "colour", "schema": schema}}
            say(f"  inglenook-serve answers: {person.ask_endpoint(response_format=form)[:70]!r}")


def _expect_version(said: str, deb: Path) -> None:
    from bootstrap.errors import SetupError

    wanted = deb.name.split("_")[1]
    if said != wanted:
        raise SetupError(f"After the upgrade there is version {said}, not {wanted}.")


def _expect_nothing_left(left: set[str]) -> None:
    from bootstrap.errors import SetupError

    if left:
        raise SetupError(f"These files were left behind: {', '.join(sorted(left)[:20])}")


def _expect_data(home: Path) -> None:
    """A person's chats are theirs, and in the one folder that is named for them."""
    from bootstrap.errors import SetupError

    if not (home / ".local/share/inglenook/chats.sqlite3").exists():
        raise SetupError("The person's chats went with the program.")


if __name__ == "__main__":
    # What finds this package must not be seen by the Pythons that are started from here.
    os.environ.pop("PYTHONPATH", None)
    sys.exit(main(sys.argv[1:]))
