"""Log entries of unexpected errors in the engine: they contain types and source lines, but no text of prompts or
errors."""

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


def raise_with_words(*_: object, **__: object) -> NoReturn:
    raise KeyError(WORDS)


def logged(
    caplog: pytest.LogCaptureFixture, broken: str, ask: Callable[[Engine], Awaitable[object]], kind: type[Exception]
) -> str:
    """Returns the log after calling `ask`, which must raise `kind` because the backend's method `broken` raises
    KeyError."""

    async def run() -> Exception:
        opener = FakeOpener()
        engine = Engine(opener)
        await engine.load(PATH)
        setattr(opener.backends[0], broken, raise_with_words)
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
    assert " raise_with_words" in caplog.text.splitlines()[-1], "the innermost frame comes last"
    return caplog.text


async def ask_it(engine: Engine) -> None:
    await engine.submit(chat(WORDS)).collect()


async def embed_it(engine: Engine) -> None:
    await engine.embed(EmbedRequest((WORDS,), "endpoint"))


def test_error_while_building_a_prompt_is_logged_without_the_prompt(caplog: pytest.LogCaptureFixture) -> None:
    text = logged(caplog, "tokenize", ask_it, EngineError)
    assert "preparing a prompt failed" in text
    assert "    engine.prompt.prompt_builder:" in text


def test_error_on_the_native_thread_is_logged_without_the_prompt(caplog: pytest.LogCaptureFixture) -> None:
    text = logged(caplog, "decode", ask_it, EngineDead)
    assert "the native thread failed" in text
    assert "    engine.session:" in text


def test_error_while_opening_the_chat_models_embedder_is_logged_without_the_input(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = logged(caplog, "open_embedder", embed_it, EngineDead)
    assert "    engine.embedding.executor:" in text


def test_runtime_error_of_the_tokenizer_is_not_reported_as_engine_closed() -> None:
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


def test_redacted_traceback_contains_the_causes_of_an_error() -> None:
    try:
        try:
            raise_with_words()
        except KeyError as error:
            raise FileNotFoundError(2, WORDS) from error
    except OSError as error:
        lines = redacted_traceback(error).splitlines()
    assert lines[0] == "  builtins.FileNotFoundError ENOENT"
    assert "  builtins.KeyError" in lines
    assert lines[-1].startswith(f"    {__name__}:")


def test_no_log_call_in_engine_and_api_contains_an_error_text() -> None:
    for path in (each for name in ("engine", "api") for each in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                assert ast.unparse(node.func) != "log.exception", f"{path}:{node.lineno}"
                assert "exc_info" not in {each.arg for each in node.keywords}, f"{path}:{node.lineno}"
                said = {ast.unparse(each) for each in node.args}
                assert not said & {"error", "str(error)", "repr(error)"}, f"{path}:{node.lineno}"
