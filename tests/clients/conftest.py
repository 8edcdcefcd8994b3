"""Third-party clients, unmodified, with the real model over HTTP. They are imported within the tests, since each import
takes up to 1.5 seconds in every process that collects tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.real_endpoint import RealEndpoint, serve_real_endpoint


@pytest.fixture(scope="session")
def endpoint(model_path: Path) -> Iterator[RealEndpoint]:
    """One endpoint for all clients of this process."""
    with serve_real_endpoint(model_path) as made:
        yield made
