"""Several equal servers behind one name: the one with the fewest requests answers, and dead ones are skipped."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import pytest

from engine.errors import NotLoaded, RemoteError, ServerBusy
from engine.events import Event, Failed, Finished, TextDelta
from engine.remote.client import ConnectionClient
from engine.remote.connection import Connection
from engine.remote.remote_thread import RemoteThread
from engine.remote.upstream_group import UpstreamGroup
from engine.requests import ChatRequest, EmbedRequest, Message
from tests.engine.remote.remote_models import events_of
from tests.engine.remote.scripted_server import (
    HEAD,
    ScriptedServer,
    ending,
    event,
    replies,
    scripted_server,
    sends,
    streams,
    text,
)
from tests.engine.remote.upstream_process import UpstreamProcess

MODELS = replies({"data": [{"id": "m", "owned_by": "vllm", "max_model_len": 2048}]})


@contextmanager
def servers(n: int) -> Iterator[list[ScriptedServer]]:
    with ExitStack() as stack:
        found = [stack.enter_context(scripted_server()) for _ in range(n)]
        for at, each in enumerate(found):
            each.routes["/v1/models"] = MODELS
            each.answer_chats(streams(text(f"I am {at}."), ending()))
        yield found


@asynccontextmanager
async def group_of(addresses: Sequence[str], n_live: int | None = None) -> AsyncIterator[UpstreamGroup]:
    """A group that has reached `n_live` of its servers; all by default."""
    thread = RemoteThread()
    group = UpstreamGroup("team", [ConnectionClient(Connection.to(each), thread=thread) for each in addresses])
    group.start()
    try:
        await until(lambda: n_live_of(group) == (len(addresses) if n_live is None else n_live))
        yield group
    finally:
        await group.aclose()
        await thread.aclose()


def n_live_of(group: UpstreamGroup) -> int:
    return sum(each.is_live for each in group._upstreams)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 -- other threads and processes have no event
            await asyncio.sleep(0.01)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 100))


def ask() -> ChatRequest:
    return ChatRequest((Message("user", "Hi"),), "endpoint")


def text_of(events: Sequence[Event]) -> str:
    return "".join(each.text for each in events if isinstance(each, TextDelta))


def test_requests_go_round_and_the_models_properties_are_known() -> None:
    async def story(addresses: Sequence[str]) -> None:
        async with group_of(addresses) as group:
            model = group.status.model
            assert (model.id, model.n_ctx, model.kind, model.host) == ("team", 2048, "vllm", "127.0.0.1")
            assert group.capabilities.tools
            said = Counter([text_of(await events_of(group, ask())) for _ in range(6)])
            assert said == {"I am 0.": 2, "I am 1.": 2, "I am 2.": 2}

    with servers(3) as found:
        run(story([each.address for each in found]))
        assert found[0].chat_bodies[0]["model"] == "m"


def test_server_with_the_fewest_requests_is_chosen() -> None:
    async def story(found: Sequence[ScriptedServer]) -> None:
        def wait(_: Any, connection: Any) -> None:
            connection.sendall(HEAD)
            found[0].until_closed(connection)

        found[0].answer_chats(wait)
        async with group_of([each.address for each in found]) as group:
            waiting = [asyncio.create_task(events_of(group, ask())) for _ in range(2)]
            await until(lambda: len(found[0].chat_bodies) == 1)
            for _ in range(4):
                assert text_of(await events_of(group, ask())) == "I am 1."
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)

    with servers(2) as found:
        run(story(found))


@pytest.mark.parametrize(
    "failure",
    [
        replies({"error": {"message": "x"}}, 500),
        replies({"error": {"message": "x"}}, 503),
        replies({"error": {"message": "x"}}, 401),
        sends(b""),
        sends(HEAD),
        sends(HEAD + b"0\r\n\r\n"),
    ],
)
def test_failure_before_the_first_token_goes_to_another_server(failure: Any) -> None:
    async def story(found: Sequence[ScriptedServer]) -> None:
        found[0].answer_chats(failure)
        async with group_of([each.address for each in found]) as group:
            for _ in range(3):
                events = await events_of(group, ask())
                assert text_of(events) == "I am 1."
                assert isinstance(events[-1], Finished)

    with servers(2) as found:
        run(story(found))


def test_failure_after_the_first_token_ends_the_answer_with_one_error() -> None:
    async def story(found: Sequence[ScriptedServer]) -> None:
        for each in found:
            each.answer_chats(sends(HEAD + event(text("Begun"))))
        async with group_of([each.address for each in found]) as group:
            events = await events_of(group, ask())
            assert text_of(events) == "Begun"
            assert [type(each) for each in events if isinstance(each, Failed | Finished)] == [Failed]

    with servers(2) as found:
        run(story(found))


def test_refusal_of_the_request_is_not_sent_to_others() -> None:
    async def story(found: Sequence[ScriptedServer]) -> None:
        for each in found:
            each.answer_chats(replies({"error": {"message": "bad field"}}, 422))
        async with group_of([each.address for each in found]) as group:
            assert isinstance((await events_of(group, ask()))[-1], Failed)
            assert sum(len(each.chat_bodies) for each in found) == 1
            assert n_live_of(group) == 2

    with servers(2) as found:
        run(story(found))


def test_busy_servers_are_tried_once_each() -> None:
    async def story(found: Sequence[ScriptedServer]) -> None:
        for each in found:
            each.answer_chats(replies({"error": {"message": "busy"}}, 503))
        async with group_of([each.address for each in found]) as group:
            last = (await events_of(group, ask()))[-1]
            assert isinstance(last, Failed)
            assert isinstance(last.error, ServerBusy)
            assert [len(each.chat_bodies) for each in found] == [1, 1]
            assert n_live_of(group) == 2, "a busy server is not dead"

    with servers(2) as found:
        run(story(found))


def test_dead_server_is_skipped_and_used_again_when_it_answers() -> None:
    async def story(dead: UpstreamProcess, found: Sequence[ScriptedServer]) -> None:
        async with group_of([dead.address, found[0].address]) as group:
            await asyncio.to_thread(dead.kill)
            for _ in range(3):
                assert text_of(await events_of(group, ask())) == "I am 0."
            assert n_live_of(group) == 1
            await asyncio.to_thread(dead.start)
            await until(lambda: n_live_of(group) == 2)
            said = {text_of(await events_of(group, ask())) for _ in range(4)}
            assert said == {"I am 0.", "0 1 2 3 4 5 6 7 "}

    dead = UpstreamProcess()
    try:
        with servers(1) as found:
            run(story(dead, found))
    finally:
        dead.kill()


def test_requests_fail_at_once_while_no_server_was_reached() -> None:
    async def story() -> None:
        async with group_of(["http://127.0.0.1:9"], n_live=0) as group:
            last = (await events_of(group, ask()))[-1]
            assert isinstance(last, Failed)
            assert isinstance(last.error, NotLoaded)
            with pytest.raises(NotLoaded):
                await group.embed(EmbedRequest(("a",), "endpoint"))
            with pytest.raises(NotLoaded):
                _ = group.queries

    run(story())


def test_cancelled_request_closes_its_connection() -> None:
    async def story(found: Sequence[ScriptedServer]) -> None:
        server = found[0]

        def script(_: Any, connection: Any) -> None:
            connection.sendall(HEAD + event(text("Begun")))
            server.until_closed(connection)

        server.answer_chats(script)
        async with group_of([server.address]) as group:
            async with group.submit(ask()) as stream:
                async for each in stream:
                    if isinstance(each, TextDelta):
                        break
            await server.has_seen_close()
            await until(lambda: not group._upstreams[0].n_running)

    with servers(1) as found:
        run(story(found))


def test_four_servers_one_killed_at_random_ten_times_under_load() -> None:
    """Every request is answered, or ends with one error; the next one is answered."""

    async def story(processes: Sequence[UpstreamProcess]) -> None:
        chance, results, done = random.Random(4), Counter[str](), asyncio.Event()
        async with group_of([each.address for each in processes]) as group:

            async def load() -> None:
                while not done.is_set():
                    events = await events_of(group, ask())
                    assert [each for each in events if isinstance(each, Finished | Failed)] == events[-1:]
                    if isinstance(events[-1], Failed):
                        assert isinstance(events[-1].error, RemoteError)
                    results[type(events[-1]).__name__] += 1

            clients = [asyncio.create_task(load()) for _ in range(8)]
            for _ in range(10):
                victim = chance.choice(processes)
                await asyncio.to_thread(victim.kill)
                assert isinstance((await events_of(group, ask()))[-1], Finished)
                await asyncio.to_thread(victim.start)
            done.set()
            await asyncio.gather(*clients)
            assert results["Finished"] > results["Failed"]
            await until(lambda: not any(each.n_running for each in group._upstreams))
            await until(lambda: n_live_of(group) == 4)

    processes = [UpstreamProcess() for _ in range(4)]
    try:
        run(story(processes))
    finally:
        for each in processes:
            each.kill()
