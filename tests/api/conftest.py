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
    """An endpoint whose fake model answers "Hello there.". All tests of a module share it. The `Script`, which sets the
    fake model's answers, is reset after each test."""
    script = _shared.script
    yield _shared
    script.answer, script.step_s, script.fail_after = ANSWER, 0.0, None
