"""A remote engine sends requests, delivers answers, retries, cancels and reports errors. The server is scripted."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from engine.chat_engine import ChatEngine, Reranker
from engine.errors import (
    AccessDenied,
    ContextOverflow,
    EngineClosed,
    EngineError,
    RemoteError,
    ServerBusy,
    ServerFailed,
    ServerUnreachable,
)
from engine.events import Failed, Finished, Started, TextDelta
from engine.remote import retry
from engine.remote.client import Timeouts
from engine.remote.remote_engine import RemoteEngine
from engine.remote.remote_thread import RemoteThread
from engine.requests import EmbedRequest, RerankRequest
from tests.conftest import chat
from tests.engine.remote.remote_models import client_to, engine_on, events_of, model_of
from tests.engine.remote.scripted_server import (
    DONE,
    HEAD,
    USAGE,
    Received,
    ScriptedServer,
    chunk,
    ending,
    event,
    in_turn,
    replies,
    response,
    scripted_server,
    sends,
    streams,
    text,
)

ANSWER = streams(text("Hel"), text("lo"), ending(), USAGE)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as found:
        found.answer_chats(ANSWER)
        yield found


@pytest.fixture
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "UNREACHABLE_DELAYS_S", (0.01, 0.01))
    monkeypatch.setattr(retry, "BUSY_DELAYS_S", (0.01, 0.01))


def failure(server: ScriptedServer, timeouts: Timeouts = Timeouts()) -> EngineError:
    """The error of a request to the server."""

    async def main() -> EngineError:
        async with engine_on(server.address, timeouts=timeouts) as engine:
            last = (await events_of(engine, chat()))[-1]
            assert isinstance(last, Failed)
            return last.error

    return asyncio.run(main())


def test_answer_is_delivered_as_events(server: ScriptedServer) -> None:
    async def main() -> None:
        async with engine_on(server.address) as engine:
            interface: ChatEngine = engine  # mypy checks the interface
            stream = interface.submit(request := chat())
            first = await anext(stream)
            assert isinstance(first, Started)
            text, last = await stream.collect()
            assert (text, last.reason) == ("Hello", "stop")
            assert (last.usage.n_prompt, last.usage.n_cached, last.usage.n_output) == (9, 4, 2)
            assert 0 < last.timings.first_token_s < 10
            assert engine.progress(request.id) is None
            (received,) = server.received
            assert received.headers["x-request-id"] == request.id
            assert received.headers["user-agent"].startswith("Inglenook/")
            assert "authorization" not in received.headers

    asyncio.run(main())


def test_key_is_sent_and_never_shown(server: ScriptedServer) -> None:
    async def main() -> None:
        async with client_to(server.address, "secret-key") as client:
            await client.thread.call(client.get("/v1/models"))

    server.routes["/v1/models"] = replies({"data": []})

    async def shown() -> str:
        async with client_to(server.address, "secret-key") as client:
            return f"{client!r} {client} {client.connection!r}"

    asyncio.run(main())
    assert server.received[0].headers["authorization"] == "Bearer secret-key"
    assert "secret" not in asyncio.run(shown())


@pytest.mark.parametrize("key", ["a\r\nX-Other: b", "schlüssel", "\x00"])
def test_key_that_cannot_be_sent_is_an_error(server: ScriptedServer, key: str) -> None:
    async def main() -> None:
        async with engine_on(server.address, key=key) as engine:
            last = (await events_of(engine, chat()))[-1]
            assert isinstance(last, Failed)
            assert isinstance(last.error, AccessDenied)
            assert key not in str(last.error)

    asyncio.run(main())
    assert not server.received


def test_connections_are_used_again(server: ScriptedServer) -> None:
    async def main() -> None:
        peers = set()

        def script(received: Received, connection: socket.socket) -> None:
            peers.add(connection.getpeername())
            ANSWER(received, connection)

        server.answer_chats(script)
        async with engine_on(server.address) as engine:
            for _ in range(4):
                await engine.submit(chat()).collect()
                await asyncio.sleep(0.05)  # the end of the response is read after the last event
        assert len(peers) == 1

    asyncio.run(main())


def test_cookies_are_not_sent_back(server: ScriptedServer) -> None:
    server.routes["/v1/models"] = replies({"data": []}, Set_Cookie="id=1; Path=/")

    async def main() -> None:
        async with client_to(server.address) as client:
            for _ in range(2):
                await client.thread.call(client.get("/v1/models"))

    asyncio.run(main())
    assert all("cookie" not in each.headers for each in server.received)


def test_cancelling_closes_the_connection_to_the_server(server: ScriptedServer) -> None:
    def endless(_: Received, connection: socket.socket) -> None:
        connection.sendall(HEAD + event(text("Once")))
        server.until_closed(connection)

    server.answer_chats(endless)

    async def main() -> None:
        async with engine_on(server.address) as engine:
            stream = engine.submit(chat())
            async for each in stream:
                if isinstance(each, TextDelta):
                    cancelled_at = time.monotonic()
                    stream.cancel()
                last = each
            assert isinstance(last, Finished)
            assert (last.reason, last.usage.n_output) == ("cancelled", 1)
            await server.has_seen_close()
            # The limit of 100 ms is that of an idle machine.
            assert server.closed_at[0] - cancelled_at < 2

    asyncio.run(main())


def test_cancelling_ends_a_request_that_waits_for_the_server(server: ScriptedServer) -> None:
    server.answer_chats(lambda _, connection: server.until_closed(connection))

    async def main() -> None:
        async with engine_on(server.address) as engine:
            request = chat()
            stream = engine.submit(request)
            await server.has_received()
            engine.cancel(request.id)
            engine.cancel(request.id)
            (last,) = [event async for event in stream]
            assert isinstance(last, Finished)
            assert last.reason == "cancelled"
            assert last.timings.first_token_s == 0

    asyncio.run(main())


def test_request_cancelled_at_once_has_one_last_event(server: ScriptedServer) -> None:
    async def main() -> None:
        async with engine_on(server.address) as engine:
            for _ in range(20):
                stream = engine.submit(chat())
                stream.cancel()
                events = [event async for event in stream]
                assert isinstance(events[-1], Finished)

    asyncio.run(main())


def test_lost_connection_keeps_the_text_and_fails(server: ScriptedServer) -> None:
    server.answer_chats(sends(HEAD + event(text("Half an ans"))))

    async def main() -> None:
        async with engine_on(server.address) as engine:
            started, delta, last = await events_of(engine, chat())
            assert isinstance(started, Started)
            assert delta == TextDelta("Half an ans", 1)
            assert isinstance(last, Failed)
            assert isinstance(last.error, ServerUnreachable)
            assert last.error.host == "127.0.0.1"
            states = [engine.status.state]
            server.answer_chats(ANSWER)
            assert (await engine.submit(chat()).collect())[0] == "Hello"
            assert [*states, engine.status.state] == ["dead", "ready"]
        assert len(server.received) == 2  # the request was not sent again

    asyncio.run(main())


def test_connection_lost_after_the_last_token_completes_the_answer(server: ScriptedServer) -> None:
    server.answer_chats(sends(HEAD + event(text("Hello")) + event(ending())))

    async def main() -> None:
        async with engine_on(server.address) as engine:
            assert (await engine.submit(chat()).collect())[0] == "Hello"

    asyncio.run(main())


@pytest.mark.usefixtures("_short_delays")
@pytest.mark.parametrize(
    "refusal",
    [
        replies({"error": {"message": "Loading model"}}, 503),
        replies({"error": "too many"}, 429, Retry_After="0"),
        sends(response(b"<html>Bad Gateway</html>", 502, "text/html")),
    ],
)
def test_request_is_sent_again_before_the_first_token(server: ScriptedServer, refusal: object) -> None:
    assert callable(refusal)
    server.answer_chats(in_turn([refusal, refusal, ANSWER]))

    async def main() -> None:
        async with engine_on(server.address) as engine:
            assert (await engine.submit(chat()).collect())[0] == "Hello"

    asyncio.run(main())
    assert len(server.received) == 3
    assert len({str(each.body) for each in server.received}) == 1


def test_request_is_sent_again_at_once_if_the_server_closes_the_connection(server: ScriptedServer) -> None:
    server.answer_chats(in_turn([sends(b""), ANSWER]))

    async def main() -> None:
        async with engine_on(server.address) as engine:
            _, last = await engine.submit(chat()).collect()
            assert last.timings.queue_s < retry.UNREACHABLE_DELAYS_S[0]

    asyncio.run(main())
    assert len(server.received) == 2


@pytest.mark.usefixtures("_short_delays")
def test_request_fails_after_three_tries(server: ScriptedServer) -> None:
    server.answer_chats(replies({"error": {"message": "Loading model"}}, 503))
    error = failure(server)
    assert isinstance(error, ServerBusy)
    assert error.reason == "Loading model"
    assert len(server.received) == 3


def test_long_retry_after_is_reported_without_waiting(server: ScriptedServer) -> None:
    server.answer_chats(replies({"error": {"message": "quota"}}, 429, Retry_After="3600"))
    error = failure(server)
    assert isinstance(error, ServerBusy)
    assert (error.retry_after_s, len(server.received)) == (3600, 1)


def test_retry_plan_ends_after_its_time() -> None:
    now = 0.0
    plan = retry.RetryPlan(lambda: now)
    assert plan.delay_s(ServerBusy("x", "busy", 15.0)) == 15.0
    now = 15.0
    assert plan.delay_s(ServerBusy("x", "busy", 6.0)) is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (401, {"error": {"message": "Invalid API key"}}, AccessDenied, "Invalid API key"),
        (403, {"detail": "no"}, AccessDenied, "no"),
        (404, {"error": {"message": "model 'x' not found"}}, ServerFailed, "model 'x' not found"),
        (400, {"message": "bad\nrequest\x00", "object": "error"}, ServerFailed, "bad request"),
        (500, {"error": {"message": ["not a text"]}}, ServerFailed, "it answered 500 Internal Server Error"),
        (418, {}, ServerFailed, "it answered 418 I'm a Teapot"),
        (599, {}, ServerFailed, "it answered 599"),
    ],
)
def test_refused_request_names_the_reason(
    server: ScriptedServer, status: int, body: object, kind: type[RemoteError], reason: str
) -> None:
    server.answer_chats(replies(body, status))
    error = failure(server)
    assert type(error) is kind
    assert isinstance(error, RemoteError)
    assert error.reason == reason
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"type": "exceed_context_size_error", "message": "too long", "n_prompt_tokens": 5000, "n_ctx": 4096}},
        {
            "error": {
                "code": "context_length_exceeded",
                "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
            }
        },
    ],
)
def test_prompt_that_is_too_long_is_a_context_overflow(server: ScriptedServer, body: object) -> None:
    server.answer_chats(replies(body, 400))
    error = failure(server)
    assert isinstance(error, ContextOverflow)
    assert (error.n_prompt, error.n_ctx) == (5000, 4096)


@pytest.mark.usefixtures("_short_delays")
def test_server_that_is_not_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    error = failure(ScriptedServer(port))
    assert isinstance(error, ServerUnreachable)
    assert error.reason == "no connection (Connection refused)"


def test_silent_server_is_unreachable_after_the_idle_time(server: ScriptedServer) -> None:
    def silent(_: Received, connection: socket.socket) -> None:
        connection.sendall(HEAD + event(text("Once")))
        server.until_closed(connection)

    server.answer_chats(silent)
    error = failure(server, Timeouts(idle_s=0.2))
    assert isinstance(error, ServerUnreachable)
    assert error.reason == "it sent nothing for too long"


@pytest.mark.parametrize(
    "script",
    [
        sends(HEAD + b"1000000\r\ndata: " + b"x" * (9 << 20)),  # an endless line
        sends(HEAD + event(text("a")) + chunk(b"data: {not json}\n\n") + DONE),
        sends(HEAD + event([1, 2]) + DONE),
        sends(HEAD + chunk(b"data: " + b"[" * 100_000 + b"\n\n") + DONE),
        sends(HEAD + event({"error": {"message": "out of memory", "code": 500}})),
        sends(HEAD + event({"object": "error", "message": "out of memory"})),
        sends(HEAD + event(text("a")) + event(ending("error"))),
        sends(HEAD + event(text("a")) + DONE),  # no finish reason
        sends(HEAD + event(text("a")) + b"0\r\n\r\n"),
        sends(HEAD + b"zzz\r\n"),
        sends(HEAD.replace(b"200 OK", b"200 OK\r\nContent-Encoding: gzip") + event(text("a")) + DONE),
        sends(response(b"<html>Log in</html>", 200, "text/html")),
        sends(response(b"[]", 200)),
        sends(b"SSH-2.0-OpenSSH\r\n"),
        sends(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000),
        sends(b"HTTP/1.1 500 Error\r\nContent-Length: 100000000\r\n\r\n" + b"x" * (1 << 20)),
        sends(b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: http://evil.example/v1\r\n\r\n"),
        sends(b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: /v1/chat/completions\r\n\r\n"),
        sends(b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/\r\n\r\n"),
        sends(b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: http://[::1\r\n\r\n"),
    ],
)
@pytest.mark.usefixtures("_short_delays")
def test_hostile_server_causes_one_clear_error(server: ScriptedServer, script: object) -> None:
    assert callable(script)
    server.answer_chats(script)
    error = failure(server)
    assert isinstance(error, ServerFailed | ServerUnreachable)
    assert 0 < len(error.reason) < 400
    assert "evil.example" not in [each.headers.get("host") for each in server.received]


def test_redirect_on_the_same_server_is_followed(server: ScriptedServer) -> None:
    server.answer_chats(
        sends(b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: /other/v1/chat/completions\r\n\r\n")
    )
    server.routes["/other/v1/chat/completions"] = ANSWER

    async def main() -> None:
        async with engine_on(server.address) as engine:
            assert (await engine.submit(chat()).collect())[0] == "Hello"

    asyncio.run(main())
    assert server.received[0].body == server.received[1].body


def test_answer_that_is_not_streamed_is_read(server: ScriptedServer) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "length"}
    server.answer_chats(replies({"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}))

    async def main() -> None:
        async with engine_on(server.address) as engine:
            text, last = await engine.submit(chat()).collect()
            assert (text, last.reason, last.usage.n_prompt) == ("Hello", "length", 3)

    asyncio.run(main())


def test_embeddings_have_the_order_of_the_inputs_and_length_one(server: ScriptedServer) -> None:
    data = [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 4]}]
    server.routes["/v1/embeddings"] = replies({"data": data, "usage": {"prompt_tokens": 7}})

    async def main() -> None:
        async with engine_on(server.address) as engine:
            found = await engine.embed(EmbedRequest(("a", "b"), "window"))
            assert found.vectors == ((0.6, 0.8), (0.0, 1.0))
            assert found.n_prompt == 7

    asyncio.run(main())
    assert server.received[0].body["input"] == ["a", "b"]


def test_scores_have_the_order_of_the_documents(server: ScriptedServer) -> None:
    results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": -2}]
    server.routes["/v1/rerank"] = replies({"results": results, "usage": {"total_tokens": 7}})

    async def main() -> None:
        async with engine_on(server.address) as engine:
            assert isinstance(engine, Reranker)
            found = await engine.rerank(RerankRequest("q", ("a", "b"), "window"))
            assert (found.values, found.n_prompt) == ((-2.0, 0.9), 7)

    asyncio.run(main())
    assert server.received[0].body["documents"] == ["a", "b"]


@pytest.mark.parametrize("score", [None, "1", 1e400, 10**400])
def test_invalid_scores_are_refused(server: ScriptedServer, score: object) -> None:
    server.routes["/v1/rerank"] = replies({"results": [{"index": 0, "relevance_score": score}]})

    async def main() -> None:
        async with engine_on(server.address) as engine:
            assert isinstance(engine, Reranker)
            with pytest.raises(ServerFailed):
                await engine.rerank(RerankRequest("q", ("a",), "window"))

    asyncio.run(main())


@pytest.mark.parametrize("embedding", [[], ["x"], [1e400], [10**400], None])
def test_invalid_embeddings_are_refused(server: ScriptedServer, embedding: object) -> None:
    server.routes["/v1/embeddings"] = replies({"data": [{"index": 0, "embedding": embedding}]})

    async def main() -> None:
        async with engine_on(server.address) as engine:
            with pytest.raises(ServerFailed):
                await engine.embed(EmbedRequest(("a",), "window"))

    asyncio.run(main())


def test_closing_cancels_open_requests(server: ScriptedServer) -> None:
    server.answer_chats(lambda _, connection: server.until_closed(connection))

    async def main() -> None:
        async with client_to(server.address) as client:
            engine = RemoteEngine(client, model_of(client, "openai"))
            stream = engine.submit(chat())
            await engine.aclose()
            await engine.aclose()
            (last,) = [event async for event in stream]
            assert isinstance(last, Finished)
            assert engine.status.state == "closed"
            with pytest.raises(EngineClosed):
                engine.submit(chat())
            with pytest.raises(EngineClosed):
                await engine.embed(EmbedRequest(("a",), "window"))

    asyncio.run(main())


def test_status_changes_are_published(server: ScriptedServer) -> None:
    async def main() -> None:
        states = []
        async with engine_on(server.address) as engine:
            stop = engine.watch(lambda status: states.append((status.state, status.error is None)))
            server.answer_chats(replies({}, 401))
            await events_of(engine, chat())
            server.answer_chats(ANSWER)
            await events_of(engine, chat())
            await asyncio.sleep(0)
            stop()
        assert states == [("ready", True), ("dead", False), ("ready", True)]

    asyncio.run(main())


def test_thread_is_started_at_the_first_use_and_joined() -> None:
    async def main() -> None:
        thread = RemoteThread()
        await thread.aclose()  # it never ran
        with pytest.raises(EngineClosed):
            await thread.call(asyncio.sleep(0))
        thread = RemoteThread()
        waiting = asyncio.create_task(thread.call(asyncio.sleep(60)))
        await asyncio.sleep(0.05)
        await thread.aclose()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(main())


def test_stream_with_comments_only_ends_after_the_time_without_events(server: ScriptedServer) -> None:
    def pinging(_: Received, connection: socket.socket) -> None:
        connection.sendall(HEAD + event(text("Once")))
        with suppress(OSError):
            for _n in range(2000):
                connection.sendall(chunk(b": ping\n\n"))
                time.sleep(0.01)

    server.answer_chats(pinging)
    error = failure(server, Timeouts(silence_s=0.2))
    assert isinstance(error, ServerUnreachable)
    assert error.reason == "it sent nothing for too long"


def test_endless_stream_ends_with_an_error(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_: Received, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(HEAD)
            for _n in range(20_000):
                connection.sendall(event(text("again ")))

    monkeypatch.setattr("engine.remote.client.MAX_STREAM_BYTES", 100_000)
    server.answer_chats(endless)
    error = failure(server)
    assert isinstance(error, ServerFailed)
    assert error.reason == "its answer is too large"


def test_maximum_length_is_sent_under_its_newer_name_to_servers_that_refuse_the_old_one(server: ScriptedServer) -> None:
    reason = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )

    def newer(received: Received, connection: socket.socket) -> None:
        refused = replies({"error": {"message": reason, "code": "unsupported_parameter"}}, 400)
        (refused if "max_tokens" in received.body else ANSWER)(received, connection)

    server.answer_chats(newer)

    async def main() -> None:
        async with engine_on(server.address) as engine:
            for _ in range(2):
                assert (await engine.submit(chat(max_tokens=7)).collect())[0] == "Hello"

    asyncio.run(main())
    sent = [(body.get("max_tokens"), body.get("max_completion_tokens")) for body in server.chat_bodies]
    assert sent == [(7, None), (None, 7), (None, 7)]


def test_newer_name_of_the_maximum_length_is_used_by_requests_at_the_same_time(server: ScriptedServer) -> None:
    both_arrived = threading.Barrier(2)

    def newer(received: Received, connection: socket.socket) -> None:
        if "max_tokens" in received.body:
            both_arrived.wait(20)
            replies({"error": {"message": "use max_completion_tokens"}}, 400)(received, connection)
        else:
            ANSWER(received, connection)

    server.answer_chats(newer)

    async def main() -> None:
        async with engine_on(server.address) as engine:
            streams = [engine.submit(chat(max_tokens=7)) for _ in range(2)]
            assert [(await each.collect())[0] for each in streams] == ["Hello", "Hello"]

    asyncio.run(main())


def test_refusal_of_both_names_of_the_maximum_length_is_an_error(server: ScriptedServer) -> None:
    server.answer_chats(replies({"error": {"message": "max_completion_tokens is not supported"}}, 400))

    async def main() -> None:
        async with engine_on(server.address) as engine:
            last = (await events_of(engine, chat(max_tokens=7)))[-1]
            assert isinstance(last, Failed)
            assert isinstance(last.error, ServerFailed)

    asyncio.run(main())
    assert len(server.chat_bodies) == 2


def test_redirect_to_an_address_that_is_too_long_is_an_error(server: ScriptedServer) -> None:
    server.answer_chats(sends(response(b"", 307, Location="/" + "a" * 70_000)))
    error = failure(server)
    assert isinstance(error, ServerFailed)
    assert error.reason == "it redirects to an invalid address"


def test_key_in_an_error_of_the_server_is_not_shown(server: ScriptedServer) -> None:
    server.answer_chats(replies({"error": {"message": "the key sk-secret has expired"}}, 401))

    async def main() -> None:
        async with engine_on(server.address, key="sk-secret") as engine:
            last = (await events_of(engine, chat()))[-1]
            assert isinstance(last, Failed)
            assert str(last.error).endswith("the key *** has expired")

    asyncio.run(main())
