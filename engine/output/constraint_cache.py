"""Compiled constraints of one loaded model: made on a thread that can bear it, and kept."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from engine.errors import ConstraintError, NotLoaded
from engine.output.call_grammar import CallGrammar
from engine.requests import Constraint
from engine.trace import way_of

if TYPE_CHECKING:  # llguidance is imported with the first constraint, not when the window opens
    from llguidance import LLTokenizer

    from engine.output.constraint import CompiledConstraint

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

    def __init__(self, open_tokenizer: Callable[[], LLTokenizer], deadline_s: float = 2.0) -> None:
        """`open_tokenizer` is called once, with the first constraint, since it takes a third of a second."""
        self._open_tokenizer = open_tokenizer
        self._deadline_s = deadline_s
        self._opening = threading.Lock()
        self._tokenizer: LLTokenizer | None = None
        self._closed = False
        self._keeping = threading.Lock()
        self._kept: OrderedDict[Constraint | CallGrammar, CompiledConstraint | str] = OrderedDict()
        self._places = threading.BoundedSemaphore(N_AT_ONCE)
        self._threads: set[threading.Thread] = set()

    def get(self, constraint: Constraint | CallGrammar) -> CompiledConstraint:
        """The constraint, compiled. Raises ConstraintError within the deadline, NotLoaded once closed."""
        with self._keeping:
            outcome = self._kept.get(constraint)
            if outcome is not None:
                self._kept.move_to_end(constraint)
        if outcome is None:
            outcome = self._compile(constraint)
            self._keep(constraint, outcome)
        if isinstance(outcome, str):
            raise ConstraintError(outcome)
        return outcome

    def close(self, timeout_s: float = 2.0) -> bool:
        """Waits for what is being compiled. False if something still is: then the model must not be freed, whose
        vocabulary it may read."""
        with self._opening:
            self._closed = True
        deadline = time.monotonic() + timeout_s
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        return not self._threads

    def _keep(self, constraint: Constraint | CallGrammar, outcome: CompiledConstraint | str) -> None:
        if len(constraint.source) > MAX_KEPT_CHARS:
            return
        with self._keeping:
            self._kept[constraint] = outcome
            if len(self._kept) > N_KEPT:
                self._kept.popitem(last=False)

    def _compile(self, constraint: Constraint | CallGrammar) -> CompiledConstraint | str:
        """The compiled constraint, or why there is none: the same one would fail again."""
        if not self._places.acquire(timeout=self._deadline_s):
            raise ConstraintError("other constraints are taking too long")
        done: Future[CompiledConstraint] = Future()
        try:
            self._start(constraint, done)
        except BaseException:
            self._places.release()
            raise
        try:
            return done.result(self._deadline_s)
        except ConstraintError as error:
            return error.reason
        except TimeoutError:
            # It cannot be stopped, only left alone; the caps of `grammar` are there so that this does not happen.
            log.warning("a constraint of %d characters takes too long", len(constraint.source))
            return "it takes too long to compile"

    def _start(self, constraint: Constraint | CallGrammar, done: Future[CompiledConstraint]) -> None:
        with self._opening:  # held until the thread is known to `close`
            if self._closed:
                raise NotLoaded
            if self._tokenizer is None:
                self._tokenizer = self._open_tokenizer()
            thread = threading.Thread(
                target=self._work, args=(constraint, self._tokenizer, done), name="inglenook-constraint", daemon=True
            )
            self._threads.add(thread)
            with _stack_size:
                before = threading.stack_size(STACK_BYTES)
                try:
                    thread.start()
                finally:
                    threading.stack_size(before)

    def _work(
        self, constraint: Constraint | CallGrammar, tokenizer: LLTokenizer, done: Future[CompiledConstraint]
    ) -> None:
        from engine.output.constraint import compile_constraint

        try:
            done.set_result(compile_constraint(constraint, tokenizer))
        except Exception as error:
            done.set_exception(error)
        except BaseException as error:  # a panic in llguidance, which is not an Exception
            log.error("llguidance failed\n%s", way_of(error))
            done.set_exception(ConstraintError("llguidance failed on it"))
        finally:
            self._threads.discard(threading.current_thread())
            self._places.release()
