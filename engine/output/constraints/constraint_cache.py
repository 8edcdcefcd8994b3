"""Compiled constraints of one loaded model: made on a thread that can bear it, and kept."""

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

if TYPE_CHECKING:  # llguidance is imported with the first constraint, not when the window opens
    from llguidance import LLTokenizer

    from engine.output.constraints.compiled_constraint import CompiledConstraint

log = logging.getLogger(__name__)

STACK_BYTES = 64 * 1024 * 1024
"""Only what is used of it becomes memory. The worst constraint that passes the caps takes 8 MB."""

N_KEPT = 32
MAX_KEPT_CHARS = 256 * 1024
"""What is larger is not remembered."""

N_AT_ONCE = 2

_stack_size = threading.Lock()
"""`threading.stack_size` is one number for the whole process."""


class ConstraintCache:
    """`get` may be called on any thread that may wait: a preparing thread, not the native one."""

    def __init__(
        self,
        open_tokenizer: Callable[[], LLTokenizer],
        keep_model_loaded: Callable[[], AbstractContextManager[None]],
        deadline_s: float = 2.0,
    ) -> None:
        """`open_tokenizer` is called once, with the first constraint, since it takes a third of a second.
        `keep_model_loaded` keeps the tokenizer's model in memory while it is entered."""
        self._open_tokenizer = open_tokenizer
        self._kept_model = keep_model_loaded
        self._deadline_s = deadline_s
        self._opening = threading.Lock()
        self._tokenizer: LLTokenizer | None = None
        self._closed = False
        self._keeping = threading.Lock()
        self._kept: OrderedDict[Constraint | ToolCallGrammar, CompiledConstraint | str] = OrderedDict()
        self._compiling: dict[Constraint | ToolCallGrammar, Future[CompiledConstraint]] = {}
        """Under `_keeping`."""
        self._places = threading.BoundedSemaphore(N_AT_ONCE)

    def get(self, constraint: Constraint | ToolCallGrammar) -> CompiledConstraint:
        """The constraint, compiled. Raises ConstraintError within the deadline, NotLoaded once closed."""
        with self._keeping:
            outcome = self._kept.get(constraint)
            if outcome is not None:
                self._kept.move_to_end(constraint)
        if outcome is None:
            return self._compile(constraint)
        if isinstance(outcome, str):
            raise ConstraintError(outcome)
        return outcome

    def close(self) -> None:
        """Starts no further compile. One that is under way cannot be stopped; it keeps the model until it ends."""
        with self._opening:
            self._closed = True

    def _compile(self, constraint: Constraint | ToolCallGrammar) -> CompiledConstraint:
        """Waits for the compile, which goes on after the deadline: on a busy processor a retry finds it done.

        So a lack of time is not remembered as an error of the constraint."""
        with self._keeping:
            done = self._compiling.get(constraint)
        try:
            return (done or self._begin(constraint)).result(self._deadline_s)
        except TimeoutError:
            log.warning("a constraint of %d characters takes too long", len(constraint.source))
            raise ConstraintError("it takes too long to compile") from None

    def _begin(self, constraint: Constraint | ToolCallGrammar) -> Future[CompiledConstraint]:
        if not self._places.acquire(timeout=self._deadline_s):
            raise ConstraintError("other constraints are taking too long")
        done: Future[CompiledConstraint] = Future()
        try:
            with self._opening:
                self._start(constraint, done)
        except BaseException:
            self._places.release()
            raise
        return done

    def _start(self, constraint: Constraint | ToolCallGrammar, done: Future[CompiledConstraint]) -> None:
        """Under `_opening`. Raises NotLoaded."""
        if self._closed:
            raise NotLoaded
        if self._tokenizer is None:
            self._tokenizer = self._open_tokenizer()
        keeping = ExitStack()
        keeping.enter_context(self._kept_model())
        work = partial(self._work, constraint, self._tokenizer, done, keeping)
        thread = threading.Thread(target=work, name="inglenook-constraint", daemon=True)
        with self._keeping:
            self._compiling[constraint] = done
        try:
            with _stack_size:
                before = threading.stack_size(STACK_BYTES)
                try:
                    thread.start()
                finally:
                    threading.stack_size(before)
        except BaseException:
            self._end(constraint)
            keeping.close()
            raise

    def _work(
        self,
        constraint: Constraint | ToolCallGrammar,
        tokenizer: LLTokenizer,
        done: Future[CompiledConstraint],
        keeping: ExitStack,
    ) -> None:
        from engine.output.constraints.compiled_constraint import compile_constraint

        try:
            compiled = compile_constraint(constraint, tokenizer)
        except BaseException as error:
            failure = error
            if not isinstance(error, Exception):  # a panic in llguidance
                log.error("llguidance failed\n%s", redacted_traceback(error))
                failure = ConstraintError("llguidance failed on it")
            self._end(constraint, failure.reason if isinstance(failure, ConstraintError) else None)
            done.set_exception(failure)
        else:
            self._end(constraint, compiled)
            done.set_result(compiled)
        finally:
            keeping.close()
            self._places.release()

    def _end(self, constraint: Constraint | ToolCallGrammar, outcome: CompiledConstraint | str | None = None) -> None:
        """Keeps the outcome; not None, which may be another the next time."""
        with self._keeping:
            self._compiling.pop(constraint, None)
            if outcome is None or len(constraint.source) > MAX_KEPT_CHARS:
                return
            self._kept[constraint] = outcome
            if len(self._kept) > N_KEPT:
                self._kept.popitem(last=False)
