"""Compiles the constraints of one loaded model on threads with a large stack, and caches the results."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import TYPE_CHECKING

from engine.errors import ConstraintError, NotLoaded
from engine.output.constraints.tool_call_grammar import ToolCallGrammar
from engine.redacted_traceback import redacted_traceback
from engine.requests import Constraint

if TYPE_CHECKING:  # llguidance is imported only for the first constraint, so that the window opens sooner
    from llguidance import LLTokenizer

    from engine.output.constraints.compiled_constraint import CompiledConstraint

log = logging.getLogger(__name__)

AnyConstraint = Constraint | ToolCallGrammar

STACK_BYTES = 64 * 1024 * 1024
"""Stack size of the threads that compile. Only those pages of a stack that the thread uses take memory.

The worst constraint within the limits needs 8 MB."""

MAX_CACHED = 32
MAX_CACHED_CHARS = 256 * 1024
"""Constraints that are longer than this are not cached."""

MAX_CONCURRENT = 2

_stack_size = threading.Lock()
"""A lock that is held while `threading.stack_size` is changed, because the stack size applies to the whole process."""


class ConstraintCache:
    """Compiles and caches the constraints for one loaded model.

    `get` may block. Call it on a thread that builds prompts, never on the native thread (the one that calls
    llama.cpp)."""

    def __init__(
        self,
        open_tokenizer: Callable[[], LLTokenizer],
        keep_model_loaded: Callable[[], AbstractContextManager[None]],
        deadline_s: float = 2.0,
    ) -> None:
        """`open_tokenizer` is called once, for the first constraint, and takes about 0.3 s.

        `keep_model_loaded` returns a context manager. The model is not freed before the context manager exits."""
        self._open_tokenizer = open_tokenizer
        self._keep_model_loaded = keep_model_loaded
        self._deadline_s = deadline_s
        self._start_lock = threading.Lock()
        self._tokenizer: LLTokenizer | None = None
        self._closed = False
        self._cache_lock = threading.Lock()
        self._cache: OrderedDict[AnyConstraint, CompiledConstraint | str] = OrderedDict()
        self._pending: dict[AnyConstraint, Future[CompiledConstraint]] = {}
        """The compilations that are running. Guarded by `_cache_lock`."""
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT)

    def get(self, constraint: AnyConstraint) -> CompiledConstraint:
        """Returns the compiled constraint, from the cache if possible.

        Raises ConstraintError if compiling fails or exceeds the deadline, NotLoaded after `close`."""
        with self._cache_lock:
            outcome = self._cache.get(constraint)
            if outcome is not None:
                self._cache.move_to_end(constraint)
        if outcome is None:
            return self._compile(constraint)
        if isinstance(outcome, str):
            raise ConstraintError(outcome)
        return outcome

    def close(self) -> None:
        """Prevents further compilations. A running compilation cannot be stopped; it keeps the model loaded until it
        ends."""
        with self._start_lock:
            self._closed = True

    def _compile(self, constraint: AnyConstraint) -> CompiledConstraint:
        """Waits until the constraint is compiled, at most until the deadline.

        The compilation continues after the deadline, so that a retry on a busy machine can succeed. A timeout is not
        cached as an error of the constraint."""
        with self._cache_lock:
            future = self._pending.get(constraint)
        try:
            return (future or self._submit(constraint)).result(self._deadline_s)
        except TimeoutError:
            log.warning("a constraint of %d characters takes too long", len(constraint.source))
            raise ConstraintError("it takes too long to compile") from None

    def _submit(self, constraint: AnyConstraint) -> Future[CompiledConstraint]:
        if not self._slots.acquire(timeout=self._deadline_s):
            raise ConstraintError("other constraints are taking too long")
        future: Future[CompiledConstraint] = Future()
        try:
            with self._start_lock:
                self._start(constraint, future)
        except BaseException:
            self._slots.release()
            raise
        return future

    def _start(self, constraint: AnyConstraint, future: Future[CompiledConstraint]) -> None:
        """Starts a thread that compiles the constraint. The caller holds `_start_lock`. Raises NotLoaded after
        `close`."""
        if self._closed:
            raise NotLoaded
        if self._tokenizer is None:
            self._tokenizer = self._open_tokenizer()
        model_lock = ExitStack()
        model_lock.enter_context(self._keep_model_loaded())
        target = partial(self._run, constraint, self._tokenizer, future, model_lock)
        thread = threading.Thread(target=target, name="inglenook-constraint", daemon=True)
        with self._cache_lock:
            self._pending[constraint] = future
        try:
            with _stack_size:
                before = threading.stack_size(STACK_BYTES)
                try:
                    thread.start()
                finally:
                    threading.stack_size(before)
        except BaseException:
            self._finish(constraint)
            model_lock.close()
            raise

    def _run(
        self,
        constraint: AnyConstraint,
        tokenizer: LLTokenizer,
        future: Future[CompiledConstraint],
        model_lock: ExitStack,
    ) -> None:
        from engine.output.constraints.compiled_constraint import compile_constraint

        try:
            compiled = compile_constraint(constraint, tokenizer)
        except BaseException as error:
            failure = error
            if not isinstance(error, Exception):  # a panic in llguidance is not an Exception
                log.error("llguidance failed\n%s", redacted_traceback(error))
                failure = ConstraintError("llguidance failed on it")
            self._finish(constraint, failure.reason if isinstance(failure, ConstraintError) else None)
            future.set_exception(failure)
        else:
            self._finish(constraint, compiled)
            future.set_result(compiled)
        finally:
            model_lock.close()
            self._slots.release()

    def _finish(self, constraint: AnyConstraint, outcome: CompiledConstraint | str | None = None) -> None:
        """Caches the outcome of a compilation: the compiled constraint or an error text.

        The outcome None stands for any other failure, which is not cached, because a retry may succeed."""
        with self._cache_lock:
            self._pending.pop(constraint, None)
            if outcome is None or len(constraint.source) > MAX_CACHED_CHARS:
                return
            self._cache[constraint] = outcome
            if len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
