"""A bug is logged so that it can be found: its kind and its place. What was asked stands in no line of the log."""

from __future__ import annotations

import ast
import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import pytest

from engine.engine import Engine
from engine.errors import EngineDead, EngineError
from engine.redacted_traceback import redacted_traceback
from engine.requests import EmbedRequest
from tests.conftest import chat
from tests.fakes import FakeOpener

WORDS = "my own xylophone"
PATH = Path("fake.gguf")
ROOT = Path(__file__).parents[2]


def stumble(*_: object, **__: object) -> NoReturn:
    raise KeyError(WORDS)


def logged(
    caplog: pytest.LogCaptureFixture, broken: str, ask: Callable[[Engine], Awaitable[object]], kind: type[Exception]
) -> str:
    """What stands in the log after `ask`, over a backend with a bug in `broken`, which must raise `kind`."""

    async def run() -> Exception:
        opener = FakeOpener()
        engine = Engine(opener)
        await engine.load(PATH)
        setattr(opener.backends[0], broken, stumble)
        try:
            with pytest.raises(kind) as refused:
                await asyncio.wait_for(ask(engine), 10)
        finally:
            await engine.aclose()
        return refused.value

    with caplog.at_level(logging.WARNING):
        error = asyncio.run(run())
    assert type(error) is kind
    assert WORDS not in caplog.text
    assert "xylophone" not in caplog.text
    assert "  builtins.KeyError\n" in caplog.text
    assert " stumble" in caplog.text.splitlines()[-1], "the innermost place comes last"
    return caplog.text


async def ask_it(engine: Engine) -> None:
    await engine.submit(chat(WORDS)).collect()


async def embed_it(engine: Engine) -> None:
    await engine.embed(EmbedRequest((WORDS,), "endpoint"))


def test_a_bug_while_a_prompt_is_prepared(caplog: pytest.LogCaptureFixture) -> None:
    text = logged(caplog, "tokenize", ask_it, EngineError)
    assert "preparing a prompt failed" in text
    assert "    engine.prompt.prompt_builder:" in text


def test_a_bug_on_the_native_thread(caplog: pytest.LogCaptureFixture) -> None:
    text = logged(caplog, "decode", ask_it, EngineDead)
    assert "the native thread failed" in text
    assert "    engine.session:" in text


def test_a_bug_while_the_chat_model_opens_to_embed(caplog: pytest.LogCaptureFixture) -> None:
    text = logged(caplog, "open_embedder", embed_it, EngineDead)
    assert "    engine.embedding.executor:" in text


def test_a_bug_while_texts_to_embed_are_tokenised_is_not_taken_for_a_closed_engine() -> None:
    async def run() -> None:
        opener = FakeOpener()
        engine = Engine(opener)
        await engine.load(PATH)

        def fail(text: str, **_options: object) -> list[int]:
            raise RuntimeError(text)

        opener.backends[0].tokenize = fail  # type: ignore[method-assign]
        with pytest.raises(RuntimeError, match=WORDS):
            await embed_it(engine)
        await engine.aclose()

    asyncio.run(run())


def test_the_errors_behind_an_error_are_told_too() -> None:
    try:
        try:
            stumble()
        except KeyError as error:
            raise FileNotFoundError(2, WORDS) from error
    except OSError as error:
        lines = redacted_traceback(error).splitlines()
    assert lines[0] == "  builtins.FileNotFoundError ENOENT"
    assert "  builtins.KeyError" in lines
    assert lines[-1].startswith(f"    {__name__}:")


def test_nothing_here_logs_what_an_error_says() -> None:
    for path in (each for name in ("engine", "api") for each in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                assert ast.unparse(node.func) != "log.exception", f"{path}:{node.lineno}"
                assert "exc_info" not in {each.arg for each in node.keywords}, f"{path}:{node.lineno}"
                said = {ast.unparse(each) for each in node.args}
                assert not said & {"error", "str(error)", "repr(error)"}, f"{path}:{node.lineno}"
