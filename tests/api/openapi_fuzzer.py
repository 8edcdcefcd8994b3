"""Sends random requests, valid and invalid, that schemathesis generates from the endpoint's OpenAPI description."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from tests.api.hostile_bodies import HOSTILE
from tests.api.live_endpoint import ask

PATIENCE_S = 20.0
N_KEPT = 20

MESSAGES = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20}
SOUND: Mapping[str, dict[str, object]] = {
    "/chat/completions": MESSAGES,
    "/chat/completions/input_tokens": MESSAGES,
    "/completions": {"prompt": "a", "max_tokens": 20},
    "/embeddings": {"input": "a"},
    "/rerank": {"query": "a", "documents": ["a"]},
    "/responses": {"input": "a", "max_output_tokens": 20},
    "/responses/input_tokens": {"input": "a"},
    "/messages": MESSAGES,
    "/messages/count_tokens": MESSAGES,
    "/api/chat": MESSAGES,
    "/apply-template": MESSAGES,
    "/infill": {"input_prefix": "a", "input_suffix": "b", "n_predict": 20},
    "/completion": {"prompt": "a", "n_predict": 20},
}
"""Valid fields for each path. The paths are written without /v1. Most random bodies are refused because their messages
are invalid. With these fields added, the other fields of such a body reach the engine."""


@dataclass
class Outcome:
    statuses: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    """The first problems that were found: server errors, timeouts, and wrong answers to normal requests."""

    def note(self, problem: str) -> None:
        if len(self.problems) < N_KEPT:
            self.problems.append(problem[:500])


@dataclass
class Fuzz:
    """Sends requests with `client`, which has the address and the key. `expected`: the answer to every normal
    request."""

    client: httpx.Client
    expected: str
    outcome: Outcome = field(default_factory=Outcome)
    chance: random.Random = field(default_factory=lambda: random.Random(4645))

    def run(self, description: dict[str, Any], n: int, first_seed: int = 1) -> Outcome:
        """Sends `n` random requests, and a normal one after every fifty of them."""
        found: list[Any] = list(schemathesis.openapi.from_dict(description).get_all_operations())
        operations = [each.ok() for each in found]
        cases = st.one_of([each.as_strategy(generation_mode=mode) for each in operations for mode in GenerationMode])
        n_sent = 0

        @seed(first_seed)
        @settings(
            max_examples=n,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(cases)
        def send(case: schemathesis.Case[Any]) -> None:
            nonlocal n_sent
            n_sent += 1
            self._send(case.method, case.formatted_path, dict(case.query or {}), self._content(case))
            if n_sent % 50 == 0:
                self.check()

        send()
        self.check()
        return self.outcome

    def check(self) -> None:
        answers = plain_answer(self.client)
        if answers != self.expected:
            self.outcome.note(f"the plain question was answered {answers!r}")

    def _content(self, case: schemathesis.Case[Any]) -> bytes | None:
        if case.method != "POST":
            return None
        kind = self.chance.random()
        if kind < 0.05:
            return self.chance.choice(list(HOSTILE.values()))
        if isinstance(case.body, bytes):
            return case.body
        body: Any = None if isinstance(case.body, NotSet) else case.body
        sound = SOUND.get(case.path.removeprefix("/v1"))
        if kind < 0.6 and sound is not None and isinstance(body, dict):
            body = {**body, **sound}
        content = json.dumps(body).encode()
        if kind > 0.95:
            cut = self.chance.randrange(len(content))
            return content[:cut] + self.chance.randbytes(3) + content[cut:]
        return content

    def _send(self, method: str, path: str, query: dict[str, Any], content: bytes | None) -> None:
        value = f"{method} {path} {content!r}"
        try:
            answer = self.client.request(
                method, path, params=query, content=content, headers={"content-type": "application/json"}
            )
        except httpx.HTTPError as error:
            self.outcome.note(f"{error!r}: {value}")
            return
        self.outcome.statuses[answer.status_code] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self.outcome.note(f"{answer.status_code} {answer.text[:100]}: {value}")


def client_of(root: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=root, headers={"x-api-key": key}, trust_env=False, timeout=PATIENCE_S)


def plain_answer(client: httpx.Client) -> str:
    answer = client.post("/v1/chat/completions", json=ask(max_tokens=20, temperature=0))
    return str(answer.json()["choices"][0]["message"]["content"]) if answer.status_code == 200 else answer.text
