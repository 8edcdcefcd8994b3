"""After hundreds of random requests, the server still answers normal ones correctly."""

from __future__ import annotations

from api.openapi import describe
from tests.api.live_endpoint import KEY, Live
from tests.api.openapi_fuzzer import Fuzz, client_of


def test_normal_requests_between_random_ones_are_answered_correctly(endpoint: Live) -> None:
    with client_of(endpoint.root, KEY) as client:
        outcome = Fuzz(client, "Hello there.").run(describe(endpoint.app), 200)
    assert outcome.problems == []
    assert outcome.statuses[200] > 40
    assert outcome.statuses[400] > 40
    assert endpoint.n_in_progress == 0
