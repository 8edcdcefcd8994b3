"""From a submitted request to the native thread, by way of the thread that prepares its prompt."""

from __future__ import annotations

import logging
import time
from queue import SimpleQueue

from engine.backend import TokenizationCancelled
from engine.errors import EngineClosed, EngineError, NotLoaded
from engine.events import Failed
from engine.inbox import Message, Submit
from engine.prompt.prompt_builder import PromptBuilder
from engine.prompt.thread_pools import PromptThreadPools
from engine.redacted_traceback import redacted_traceback
from engine.request_state import RequestRegistry, RequestState
from engine.requests import n_chars_of

log = logging.getLogger(__name__)


class PromptDispatcher:
    """Any thread."""

    def __init__(self, pools: PromptThreadPools, book: RequestRegistry, inbox: SimpleQueue[Message]) -> None:
        self._pools = pools
        self._book = book
        self._inbox = inbox

    def take(self, prompt_builder: PromptBuilder, state: RequestState) -> None:
        """Never blocks. Raises ValueError where a request of this id is under way; what else goes wrong is the
        state's last event."""
        self._book.open(state)
        try:
            pool = self._pools.pool(state.request.origin, n_chars_of(state.request))
            pool.submit(self._prepare, prompt_builder, state)
        except RuntimeError:  # closed a moment ago
            self._book.close(state, Failed(EngineClosed()))

    def _prepare(self, prompt_builder: PromptBuilder, state: RequestState) -> None:
        """On a pool's thread: the request's tokens, then over to the native thread.

        Unloading first withdraws the prompt_builder, then waits for this thread: so the model cannot go while it
        tokenises."""
        try:
            if prompt_builder is not self._pools.prompt_builder:
                raise NotLoaded
            if not state.cancelled.is_set():
                prompt = prompt_builder.build(state.request, state.cancelled.is_set)
                state.prompt, state.parser_config, state.grammar_constraint = (
                    prompt.tokens,
                    prompt.parser_config,
                    prompt.grammar_constraint,
                )
        except TokenizationCancelled:
            cancelled = state.cancelled.is_set()
            last = state.finished("cancelled", time.monotonic()) if cancelled else Failed(NotLoaded())
            self._book.close(state, last)
        except EngineError as error:
            self._book.close(state, Failed(error))
        except Exception as error:  # a bug of ours must end this request, not leave its asker waiting
            log.error("preparing a prompt failed\n%s", redacted_traceback(error))
            self._book.close(state, Failed(EngineError(f"preparing the prompt failed: {type(error).__name__}")))
        else:
            self._inbox.put(Submit(state, prompt_builder.backend))
