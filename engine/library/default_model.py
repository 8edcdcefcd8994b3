"""The model that is included with Inglenook: its file name, its checksum, and the folders that are searched for it."""

from __future__ import annotations

from pathlib import Path

from engine.files.profile import Profile

FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE_BYTES = 98_362_432
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


INSTALLED = Path(__file__).resolve().parents[2] / "resources" / "models"
"""The folder into which an installer puts the model."""


def find_default_model(profile: Profile) -> Path | None:
    """The path of the included model; None if the model is missing. Searches three folders in this order: the models
    folder of `profile`, that of the account's default profile (into which the set-up in packaging/bootstrap puts the
    model), and INSTALLED."""
    for folder in (profile.models, Profile.default().models, INSTALLED):
        candidate = folder / FILE_NAME
        if candidate.is_file():
            return candidate
    return None
