"""From a submitted request to the native thread, by way of the thread that prepares its prompt."""

from __future__ import annotations

import logging
import time
from queue import SimpleQueue

from engine.backend import TokenizingCancelled
from engine.errors import EngineClosed, EngineError, NotLoaded
from engine.events import Failed
from engine.inbox import Message, Submit
from engine.prompt.pools import PreparePools
from engine.prompt.prepare import Preparer
from engine.requests import n_chars_of
from engine.ticket import Ticket, TicketBook
from engine.trace import way_of

log = logging.getLogger(__name__)


class Intake:
    """Any thread."""

    def __init__(self, pools: PreparePools, book: TicketBook, inbox: SimpleQueue[Message]) -> None:
        self._pools = pools
        self._book = book
        self._inbox = inbox

    def take(self, preparer: Preparer, ticket: Ticket) -> None:
        """Never blocks. Raises ValueError where a request of this id is under way; what else goes wrong is the
        ticket's last event."""
        self._book.open(ticket)
        try:
            pool = self._pools.pool(ticket.request.door, n_chars_of(ticket.request))
            pool.submit(self._prepare, preparer, ticket)
        except RuntimeError:  # closed a moment ago
            self._book.close(ticket, Failed(EngineClosed()))

    def _prepare(self, preparer: Preparer, ticket: Ticket) -> None:
        """On a pool's thread: the request's tokens, then over to the native thread.

        Unloading first withdraws the preparer, then waits for this thread: so the model cannot go while it
        tokenises."""
        try:
            if preparer is not self._pools.preparer:
                raise NotLoaded
            if not ticket.cancelled.is_set():
                prepared = preparer.prepare(ticket.request, ticket.cancelled.is_set)
                ticket.prompt, ticket.channels, ticket.guide = prepared.tokens, prepared.channels, prepared.guide
        except TokenizingCancelled:
            cancelled = ticket.cancelled.is_set()
            last = ticket.finished("cancelled", time.monotonic()) if cancelled else Failed(NotLoaded())
            self._book.close(ticket, last)
        except EngineError as error:
            self._book.close(ticket, Failed(error))
        except Exception as error:  # a bug of ours must end this request, not leave its asker waiting
            log.error("preparing a prompt failed\n%s", way_of(error))
            self._book.close(ticket, Failed(EngineError(f"preparing the prompt failed: {type(error).__name__}")))
        else:
            self._inbox.put(Submit(ticket, preparer.backend))
