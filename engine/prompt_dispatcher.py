"""Builds the prompts of submitted requests on background threads and passes them to the native thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from engine.backend import Backend, TokenizationCancelled
from engine.errors import EngineClosed, EngineError, NotLoaded
from engine.events import Failed
from engine.prompt.prompt_builder import PromptBuilder
from engine.prompt.thread_pools import PromptThreadPools
from engine.redacted_traceback import redacted_traceback
from engine.request_state import RequestRegistry, RequestState
from engine.requests import n_chars_of

log = logging.getLogger(__name__)


class PromptDispatcher:
    """Any thread."""

    def __init__(
        self, pools: PromptThreadPools, registry: RequestRegistry, submit: Callable[[RequestState, Backend], None]
    ) -> None:
        """`submit` takes a request whose prompt is complete; the tokens are valid for the given backend only."""
        self._pools = pools
        self._registry = registry
        self._submit = submit

    def dispatch(self, prompt_builder: PromptBuilder, state: RequestState) -> None:
        """Never blocks. Raises ValueError if a request with the same id is open; other errors become the request's last
        event."""
        self._registry.open(state)
        try:
            pool = self._pools.pool(state.request.origin, n_chars_of(state.request))
            pool.submit(self._build_prompt, prompt_builder, state)
        except RuntimeError:  # the pool was shut down a moment ago
            self._registry.close(state, Failed(EngineClosed()))

    def _build_prompt(self, prompt_builder: PromptBuilder, state: RequestState) -> None:
        """On a pool's thread. The model cannot be unloaded meanwhile: unloading invalidates the prompt builder and then
        waits for the pools."""
        try:
            if prompt_builder is not self._pools.prompt_builder:
                raise NotLoaded
            if not state.cancelled.is_set():
                prompt = prompt_builder.build(state.request, state.cancelled.is_set)
                state.prompt, state.parser_config = prompt.tokens, prompt.parser_config
                state.grammar_constraint = prompt.grammar_constraint
        except TokenizationCancelled:
            self._registry.close(state, state.ended_by(NotLoaded(), time.monotonic()))
        except EngineError as error:
            self._registry.close(state, Failed(error))
        except Exception as error:  # a bug must end this request, or its caller would wait forever
            log.error("preparing a prompt failed\n%s", redacted_traceback(error))
            failure = EngineError(f"preparing the prompt failed: {type(error).__name__}")
            self._registry.close(state, Failed(failure))
        else:
            self._submit(state, prompt_builder.backend)
