"""No request body costs much time or memory: the server keeps answering, and its memory hardly grows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api import fuzz_body_costs
from tests.api.costly_bodies import (
    COSTLY_VALUES,
    MOST_ALLOWED,
    SIZE_BYTES,
    Attack,
    routes,
    templates,
    with_costly_value,
)
from tests.api.endpoint_process import Served, served
from tests.api.fuzz_body_costs import seconds_of_environment, try_attack

FUZZ_SECONDS = 4.0
WORST = ("empty lists", "digits", "messages", "parts", "keys with texts", "5,000 nested lists")


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as found:
        yield found


def with_costly_messages(path: str, title: str, field: str) -> Attack:
    body = {**templates(path)[0], field: None}
    return Attack(path, f"{title} at {field}", with_costly_value(body, (field,), COSTLY_VALUES[title](SIZE_BYTES)))


@pytest.mark.parametrize("title", WORST)
def test_expensive_messages_are_refused_quickly(server: Served, title: str) -> None:
    sent = with_costly_messages("/v1/chat/completions", title, "messages")
    assert try_attack(server, sent) == []
    answer = server.client.post(sent.path, content=sent.content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize("path", routes())
def test_body_with_too_many_values_is_413_on_every_route(server: Served, path: str) -> None:
    sent = with_costly_messages(path, "empty lists", "unknown")
    with server.measured() as load:
        answer = server.client.post(path, content=sent.content, headers={"content-type": "application/json"})
    assert answer.status_code == 413, answer.text
    assert load.health_s < fuzz_body_costs.MAX_HEALTH_S
    assert load.grown_bytes < 100_000_000


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/completion", "/infill"])
def test_logit_bias_with_900_000_entries_is_refused_quickly(server: Served, path: str) -> None:
    assert try_attack(server, with_costly_messages(path, "keys with numbers", "logit_bias")) == []


@pytest.mark.timeout(300)
def test_random_expensive_bodies_cost_little_time_and_memory() -> None:
    """Sends as many bodies as the time allows. The soak test runs `fuzz_body_costs` for longer."""
    assert fuzz_body_costs.fuzz(seconds_of_environment(FUZZ_SECONDS)) == []


@pytest.mark.parametrize("field", ["metadata"])
def test_dictionary_with_many_invalid_entries_is_refused_quickly(server: Served, field: str) -> None:
    body = {**templates("/v1/responses")[0], field: None}
    content = with_costly_value(body, (field,), COSTLY_VALUES["keys with numbers"](MOST_ALLOWED))
    with server.measured() as load:
        answer = server.client.post("/v1/responses", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert load.grown_bytes < 100_000_000
