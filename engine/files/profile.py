"""Where a person's data lies. One folder, the profile, holds all of it, so that a copied folder is a moved app."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from engine.files.private_files import correct_profile, make_private_folder

PORTABLE = "inglenook-profile"


@dataclass(frozen=True, slots=True)
class Profile:
    """Paths below one folder. Nothing is created until `ensure()`."""

    root: Path

    @classmethod
    def default(cls) -> Profile:
        """That of the account; or the folder "inglenook-profile" beside an installed program, where somebody made one,
        to carry both about on a stick."""
        beside = Path(sys.executable).resolve().parent / PORTABLE
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
        """What models have read, kept for the next start; may be deleted at any time."""
        return self.root / "snapshots"

    @property
    def responses(self) -> Path:
        """Conversations that tools left with the endpoint, to go on from."""
        return self.root / "responses"

    @property
    def probed(self) -> Path:
        """Marks of the model files that passed their trial; may be deleted at any time."""
        return self.root / "probed"

    @property
    def library(self) -> Path:
        """What model files say of themselves, so that they are listed at once; may be deleted at any time."""
        return self.root / "library.json"

    @property
    def machine(self) -> Path:
        """How fast this machine was measured to be; may be deleted at any time."""
        return self.root / "machine.json"

    def ensure(self) -> Profile:
        """Creates the folder, readable by its owner alone, whatever the umask; what is there is corrected.

        Raises OSError."""
        make_private_folder(self.root)
        correct_profile(self.root)
        return self
