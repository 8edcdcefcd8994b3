"""Clients that others have made, unmodified, against the real model on a live port.

They are imported in the tests alone, since each takes up to a second and a half, in every process that collects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.real_endpoint import RealEndpoint, house


@pytest.fixture(scope="session")
def served(model_path: Path) -> Iterator[RealEndpoint]:
    """One endpoint for all clients of this process."""
    with house(model_path) as made:
        yield made
