"""The profile: one folder that holds all data of a user, so that copying the folder moves the app."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from engine.files.private_files import make_private_folder, restrict_profile

PORTABLE_FOLDER = "inglenook-profile"


@dataclass(frozen=True, slots=True)
class Profile:
    """Paths of the files and folders in the profile. None of them is created before `ensure()` is called."""

    root: Path

    @classmethod
    def default(cls) -> Profile:
        """Returns the profile in the data folder of the user's account. If the program is packaged and there is a
        folder "inglenook-profile" next to it, returns that folder instead (for portable use)."""
        beside = Path(sys.executable).resolve().parent / PORTABLE_FOLDER
        if getattr(sys, "frozen", False) and beside.is_dir():
            return cls(beside)
        import platformdirs

        return cls(Path(platformdirs.user_data_dir("inglenook", appauthor=False)))

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def chats(self) -> Path:
        return self.root / "chats.sqlite3"

    @property
    def settings(self) -> Path:
        return self.root / "settings.json"

    @property
    def endpoint_key(self) -> Path:
        return self.root / "endpoint.key"

    @property
    def named_keys(self) -> Path:
        return self.root / "endpoint-keys.json"

    @property
    def connection_keys(self) -> Path:
        """File with the keys of connections to other servers, if the system has no keyring that works."""
        return self.root / "connection-keys.json"

    @property
    def snapshots(self) -> Path:
        """Folder with KV snapshots for the next start. It may be deleted at any time."""
        return self.root / "snapshots"

    @property
    def responses(self) -> Path:
        """Folder with the conversations that the HTTP endpoint stores (Responses API)."""
        return self.root / "responses"

    @property
    def probed(self) -> Path:
        """Folder that records which model files passed their trial load in a child process. It may be deleted at any
        time."""
        return self.root / "probed"

    @property
    def graphics(self) -> Path:
        """Folder that records which libraries for graphics cards work. It may be deleted at any time."""
        return self.root / "graphics"

    @property
    def library(self) -> Path:
        """File with cached metadata of model files. It may be deleted at any time."""
        return self.root / "library.json"

    @property
    def machine(self) -> Path:
        """File with the measured speed of this machine. It may be deleted at any time."""
        return self.root / "machine.json"

    def ensure(self) -> Profile:
        """Creates the profile folder, readable only by its owner regardless of the umask. Corrects the permissions of
        existing files in it. Raises OSError."""
        make_private_folder(self.root)
        restrict_profile(self.root)
        return self
