"""Hundreds of requests by chance: none breaks the server, and the next one is answered right."""

from __future__ import annotations

from api.openapi import describe
from tests.api.live_endpoint import KEY, Live
from tests.api.openapi_fuzzer import Fuzz, client_of


def test_no_request_by_chance_breaks_the_server(endpoint: Live) -> None:
    with client_of(endpoint.root, KEY) as client:
        outcome = Fuzz(client, "Hello there.").run(describe(endpoint.app), 200)
    assert outcome.problems == []
    assert outcome.statuses[200] > 40
    assert outcome.statuses[400] > 40
    assert endpoint.n_under_way == 0
