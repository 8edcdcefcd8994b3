"""Third-party clients, unmodified, with the real model over HTTP.

The tests import the clients themselves, because each import takes up to 1.5 seconds in every process that collects
tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.real_endpoint import RealEndpoint, serve_real_endpoint


@pytest.fixture(scope="session")
def endpoint(model_path: Path) -> Iterator[RealEndpoint]:
    """An endpoint that all clients in this process share."""
    with serve_real_endpoint(model_path) as made:
        yield made
