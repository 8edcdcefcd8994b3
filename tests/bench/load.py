"""The same load as the app's, without the app: loads the default model and writes so many tokens."""

from __future__ import annotations

import sys

from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from tests.bench.bare import BareModel

if __name__ == "__main__":
    path = find_default_model(Profile.default())
    assert path is not None
    with BareModel(path) as model:
        model.tokens_per_s(int(sys.argv[1]), int(sys.argv[2]))
