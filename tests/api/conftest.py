from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.live_endpoint import Live, live
from tests.fakes import FakeOpener, Script

ANSWER = b"Hello there."


@pytest.fixture(scope="module")
def _shared() -> Iterator[Live]:
    with live(FakeOpener(Script(ANSWER))) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(_shared: Live) -> Iterator[Live]:
    """A served fake that says "Hello there.", shared by a module's tests: its script is put back after each."""
    script = _shared.script
    yield _shared
    script.answer, script.step_s, script.fail_after = ANSWER, 0.0, None
