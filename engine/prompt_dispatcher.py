"""Builds and tokenizes prompts on threads of their own, and then passes the requests to the native thread, the one that
decodes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, get_args

from engine.backend import Backend, TokenizationCancelled
from engine.errors import EngineClosed, EngineError, NotLoaded
from engine.events import Failed
from engine.priority import Origin
from engine.prompt.prompt_builder import PromptBuilder
from engine.redacted_traceback import redacted_traceback
from engine.request_state import RequestRegistry, RequestState
from engine.requests import n_chars_of

log = logging.getLogger(__name__)

Result = TypeVar("Result")

LONG_TEXT_CHARS = 1 << 17
"""Texts of at least this length are processed on a separate thread. Shorter ones take at most about 0.1 s."""

_ORIGINS: tuple[Origin, ...] = get_args(Origin)


class PromptDispatcher:
    """Builds prompts on one thread per origin, so that a long prompt from the endpoint does not delay chats in the
    app's window. Each origin has a second thread for long texts, so that these do not delay short ones.

    Call `invalidate`, `drain` and `close` on the engine's event loop. The other methods may be called on any thread."""

    def __init__(self, registry: RequestRegistry, submit: Callable[[RequestState, Backend], None]) -> None:
        """`submit` is called with each request whose prompt is complete, and with the backend that tokenized the
        prompt."""
        self._registry = registry
        self._submit = submit
        self._short = {origin: ThreadPoolExecutor(1, f"inglenook-prepare-{origin}") for origin in _ORIGINS}
        self._long = {origin: ThreadPoolExecutor(1, f"inglenook-prepare-long-{origin}") for origin in _ORIGINS}
        self.prompt_builder: PromptBuilder | None = None
        """The prompt builder of the loaded model; None if no model is loaded."""

    def dispatch(self, prompt_builder: PromptBuilder, state: RequestState) -> None:
        """Builds the prompt of a request, then submits the request to the native thread. Never blocks. Raises
        ValueError if a request with the same id is open; other errors become the request's last event."""
        self._registry.open(state)
        try:
            thread = self.thread(state.request.origin, n_chars_of(state.request))
            thread.submit(self._build_prompt, prompt_builder, state)
        except RuntimeError:  # the thread was shut down by `close`
            self._registry.close(state, Failed(EngineClosed()))

    def thread(self, origin: Origin, n_chars: int) -> ThreadPoolExecutor:
        """Returns the executor for texts of this length. It has one thread."""
        return (self._long if n_chars >= LONG_TEXT_CHARS else self._short)[origin]

    def run(
        self, origin: Origin, n_chars: int, prompt_builder: PromptBuilder, task: Callable[[PromptBuilder], Result]
    ) -> Future[Result]:
        """Runs `task` with `prompt_builder`, whose model stays loaded meanwhile. Raises EngineClosed. The returned
        future raises NotLoaded if the model was unloaded before `task` began, or if `task` was cancelled."""

        def checked() -> Result:
            if prompt_builder is not self.prompt_builder:
                raise NotLoaded
            try:
                return task(prompt_builder)
            except TokenizationCancelled:  # the model is being unloaded, or the caller has cancelled the task
                raise NotLoaded from None

        try:
            return self.thread(origin, n_chars).submit(checked)
        except RuntimeError:  # the thread was shut down by `close`
            raise EngineClosed from None

    async def invalidate(self) -> None:
        """Cancels all tasks of the current prompt builder and waits until they have ended, so that its model can be
        freed."""
        prompt_builder, self.prompt_builder = self.prompt_builder, None
        if prompt_builder is not None:
            prompt_builder.stop()
        await self.drain()
        if prompt_builder is not None:
            prompt_builder.close()

    async def drain(self) -> None:
        """Waits until all tasks submitted so far are done."""
        await asyncio.gather(*(asyncio.wrap_future(thread.submit(_no_op)) for thread in self._threads()))

    def close(self) -> None:
        for thread in self._threads():
            thread.shutdown()

    def _threads(self) -> tuple[ThreadPoolExecutor, ...]:
        return (*self._short.values(), *self._long.values())

    def _build_prompt(self, prompt_builder: PromptBuilder, state: RequestState) -> None:
        try:
            if prompt_builder is not self.prompt_builder:
                raise NotLoaded
            if not state.cancelled.is_set():
                prompt = prompt_builder.build(state.request, state.cancelled.is_set)
                state.prompt, state.parser_config = prompt.tokens, prompt.parser_config
                state.grammar_constraint = prompt.grammar_constraint
        except TokenizationCancelled:
            self._registry.close(state, state.ended_by(NotLoaded(), time.monotonic()))
        except EngineError as error:
            self._registry.close(state, Failed(error))
        except Exception as error:  # even after a bug the request must end, or its caller would wait forever
            log.error("preparing a prompt failed\n%s", redacted_traceback(error))
            failure = EngineError(f"preparing the prompt failed: {type(error).__name__}")
            self._registry.close(state, Failed(failure))
        else:
            self._submit(state, prompt_builder.backend)


def _no_op() -> None:
    pass
