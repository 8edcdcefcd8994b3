"""The profile: one folder that holds all data of a user, so that it can be copied to move the app."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from engine.files.private_files import make_private_folder, restrict_profile

PORTABLE_FOLDER = "inglenook-profile"


@dataclass(frozen=True, slots=True)
class Profile:
    """Paths below one folder. Nothing is created until `ensure()`."""

    root: Path

    @classmethod
    def default(cls) -> Profile:
        """The account's profile, or the folder "inglenook-profile" next to an installed program if the user has
        created it there (for portable use)."""
        beside = Path(sys.executable).resolve().parent / PORTABLE_FOLDER
        if getattr(sys, "frozen", False) and beside.is_dir():
            return cls(beside)
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
    def snapshots(self) -> Path:
        """KV snapshots for the next start; may be deleted at any time."""
        return self.root / "snapshots"

    @property
    def responses(self) -> Path:
        """Conversations stored by the endpoint (Responses API)."""
        return self.root / "responses"

    @property
    def probed(self) -> Path:
        """Marks of the model files that passed their load trial; may be deleted at any time."""
        return self.root / "probed"

    @property
    def library(self) -> Path:
        """Cached metadata of model files; may be deleted at any time."""
        return self.root / "library.json"

    @property
    def machine(self) -> Path:
        """Measured speed of this machine; may be deleted at any time."""
        return self.root / "machine.json"

    def ensure(self) -> Profile:
        """Creates the folder, readable only by its owner regardless of the umask, and corrects the permissions of its
        files.

        Raises OSError."""
        make_private_folder(self.root)
        restrict_profile(self.root)
        return self
