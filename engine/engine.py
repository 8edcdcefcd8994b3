"""The face of the engine: one model, loaded once, asked through two doors."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from engine.backend import Backend, LoadSettings, OpenBackend
from engine.cache.snapshots import SnapshotStore
from engine.embedding.asking import EmbeddingAsk
from engine.embedding.desk import EmbeddingDesk
from engine.embedding.embedder import Embedder, OpenEmbedder
from engine.errors import EngineClosed, EngineDead, EngineError, NotLoaded
from engine.events import EmbedderInfo, Embeddings, Failed, ModelCard, ModelInfo, Status
from engine.inbox import Cancel, Close, Load, Submit, Unload
from engine.library.memory_use import MemoryUse, memory_use
from engine.library.probe import Probe
from engine.prompt.overflow import Fit
from engine.prompt.prepare import Preparer
from engine.requests import ChatRequest, Door, EmbedRequest, Message, Request
from engine.status import StatusBoard
from engine.stream import RequestStream
from engine.ticket import Ticket, TicketBook
from engine.worker import Worker

__all__ = ["Engine", "LoadSettings"]

Result = TypeVar("Result")

SNAPSHOT_CAP_BYTES = 8 * 1024**3
"""What snapshots may take on disk, of all models together."""


class Engine:
    """One model behind one native thread.

    `submit` belongs to any thread with a running loop; `load`, `unload` and `aclose` to the one loop that owns the
    engine; everything else to any thread."""

    def __init__(
        self,
        open_backend: OpenBackend | None = None,
        *,
        open_embedder: OpenEmbedder | None = None,
        probe: Probe | None = None,
        snapshots: Path | None = None,
        snapshot_cap_bytes: int = SNAPSHOT_CAP_BYTES,
    ) -> None:
        """`probe` tries files before they are loaded; None tries none.

        `snapshots` is the folder in which what was read is kept for the next start; None keeps nothing."""
        self._board = StatusBoard()
        self._book = TicketBook()
        self._load_cancelled = threading.Event()
        self._probe = probe
        self._snapshots = snapshots
        self._snapshot_cap_bytes = snapshot_cap_bytes
        self._worker = Worker(
            open_backend or _open_native,
            self._open_snapshots,
            self._book,
            self._on_progress,
            self._on_death,
            EmbeddingDesk(open_embedder or _open_native_embedder, self._on_embedder_lost),
        )
        self._native = ThreadPoolExecutor(1, "inglenook-native")
        # A pool for each door, so that a tool's huge prompt never holds up the window's short one.
        self._pools: dict[Door, ThreadPoolExecutor] = {
            door: ThreadPoolExecutor(1, f"inglenook-prepare-{door}") for door in ("window", "endpoint")
        }
        self._embeddings = EmbeddingAsk(self._worker.inbox, self._pools, self._settle_pools, self._board)
        self._running: asyncio.Future[None] | None = None
        self._preparer: Preparer | None = None
        self._changing = asyncio.Lock()

    @property
    def status(self) -> Status:
        """Where the engine stands now."""
        return self._board.status

    @property
    def memory(self) -> MemoryUse:
        """What is taken now. Cheap enough to be asked each second."""
        model = self.status.model
        return memory_use(model.memory if model else None, self._snapshots)

    def watch(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Calls `listener` on the caller's running loop at every change, first with the status of now.

        Returns a function that ends it (any thread)."""
        return self._board.watch(listener)

    async def load(self, path: Path, settings: LoadSettings = LoadSettings()) -> ModelInfo:
        """Loads the model, replacing the one in memory, whose requests end with NotLoaded.

        Where the file is refused before it is read (by the probe), the model in memory stays.
        Raises ModelFileError, LoadCancelled, EngineClosed, EngineDead."""
        async with self._changing:
            if self.status.state == "closed":
                raise EngineClosed
            self._load_cancelled.clear()
            await self._try_file(path)
            self._start()
            await self._drain_pools()
            done: Future[Backend] = Future()
            self._worker.inbox.put(Load(path, settings, done))
            try:
                backend = await asyncio.wrap_future(done)
                self._preparer = Preparer(backend)
                self._embeddings.chat = backend
            except EngineError as error:
                self._board.publish(Status("empty", error=error))
                raise
            except asyncio.CancelledError:
                self._load_cancelled.set()
                self._worker.inbox.put(Unload(Future()))  # it may have been loaded a moment before
                self._board.publish(Status("empty"))
                raise
            self._board.publish(Status("ready", backend.info, 1.0))
            return backend.info

    async def _try_file(self, path: Path) -> None:
        """Has the file probed while the model in memory goes on with what it does, and puts the status to "loading"."""
        before = self.status
        self._board.publish(Status("loading"))
        if self._probe is None:
            return
        try:
            await asyncio.to_thread(self._probe.check, path, self._load_cancelled.is_set)
        except BaseException as error:
            self._load_cancelled.set()  # where our task was cancelled, the thread goes on
            if self.status.state == "loading":
                told = error if isinstance(error, EngineError) else None
                kept = before.state == "ready"
                self._board.publish(replace(before, error=told) if kept else Status("empty", error=told))
            raise

    def cancel_load(self) -> None:
        """Ends a load that is under way; it raises LoadCancelled. Idempotent."""
        self._load_cancelled.set()

    async def unload(self) -> None:
        """Ends every request with NotLoaded and frees the model."""
        async with self._changing:
            if self._running is None or self.status.state == "closed":
                return
            self._board.publish(Status("empty"))
            await self._drain_pools()
            done: Future[None] = Future()
            self._worker.inbox.put(Unload(done))
            await asyncio.wrap_future(done)

    def submit(self, request: Request) -> RequestStream:
        """Queues a request; its events come on the running loop. Never blocks.

        Raises NotLoaded, EngineDead, EngineClosed at once. What is wrong with the request itself
        (ContextOverflow, TemplateError) comes as `Failed`, the stream's only event."""
        preparer = self._ready_preparer()
        stream = RequestStream(request.id, asyncio.get_running_loop(), self.cancel)
        ticket = Ticket(request, stream, time.monotonic())
        self._book.open(ticket)
        try:
            self._pools[request.door].submit(self._prepare, preparer, ticket)
        except RuntimeError:  # closed a moment ago
            self._book.close(ticket, Failed(EngineClosed()))
        return stream

    async def load_embedder(self, path: Path, settings: LoadSettings = LoadSettings()) -> EmbedderInfo:
        """Loads an embedding model beside the chat model, in the place of the one before. Cancelled by its task.

        Raises ModelFileError, InvalidSettings, NotEnoughMemory, EngineClosed."""
        async with self._changing:
            if self.status.state == "closed":
                raise EngineClosed
            self._start()
            if self._probe is not None:
                self._load_cancelled.clear()
                try:
                    await asyncio.to_thread(self._probe.check, path, self._load_cancelled.is_set)
                except asyncio.CancelledError:
                    self._load_cancelled.set()
                    raise
            return await self._embeddings.load(path, settings)

    async def unload_embedder(self) -> None:
        """Frees the embedding model; its requests end with NotLoaded. The chat model embeds from then on."""
        async with self._changing:
            if self._running is not None and self.status.state != "closed":
                await self._embeddings.unload()

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Any thread with a running loop. Cancelling the task ends the work within a slice.

        Raises NotLoaded, EngineDead, EngineClosed, RequestError, ContextOverflow (of the first input too long)."""
        if self.status.embedder is None or self.status.state == "closed":
            self._ready_preparer()
        return await self._embeddings.embed(request)

    async def fit(self, messages: Sequence[Message]) -> Fit:
        """How a chat fits into the context, before it is sent. Raises NotLoaded, TemplateError."""
        return await self._prepared("window", lambda preparer: preparer.fit(messages))

    # What tools ask beside answers. All raise NotLoaded.

    async def card(self) -> ModelCard:
        return await self._prepared("endpoint", lambda preparer: preparer.card())

    async def count(self, request: ChatRequest) -> int:
        """Tokens of its prompt, also of one that is too long. Raises TemplateError."""
        return await self._prepared(request.door, lambda preparer: preparer.count(request))

    async def render(self, request: ChatRequest) -> str:
        """The prompt's text, as the model reads it. Raises TemplateError."""
        return await self._prepared(request.door, lambda preparer: preparer.text(request))

    async def tokenize(self, text: str, *, add_special: bool = True) -> tuple[int, ...]:
        return await self._prepared("endpoint", lambda preparer: preparer.tokenize(text, add_special))

    async def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        """Each token's bytes. Raises RequestError where the vocabulary has no such token."""
        return await self._prepared("endpoint", lambda preparer: preparer.pieces(tokens))

    async def gap_prompt(self, before: str, behind: str) -> str:
        """The prompt for what is missing between two texts. Raises RequestError where the model cannot say."""
        return await self._prepared("endpoint", lambda preparer: preparer.gap_prompt(before, behind))

    async def _prepared(self, door: Door, work: Callable[[Preparer], Result]) -> Result:
        """Runs `work` on the preparing thread of `door`; the model cannot go meanwhile."""
        preparer = self._ready_preparer()

        def run() -> Result:
            if preparer is not self._preparer:
                raise NotLoaded
            return work(preparer)

        try:
            future = self._pools[door].submit(run)
        except RuntimeError:  # closed a moment ago
            raise EngineClosed from None
        return await asyncio.wrap_future(future)

    def cancel(self, request_id: str) -> None:
        """Ends a request within one step; its last event still comes. Unknown ids are ignored. Idempotent."""
        if self._book.cancel(request_id):
            self._worker.inbox.put(Cancel())

    async def aclose(self) -> None:
        """Cancels all, frees the context, then the model, and joins the threads. Idempotent."""
        self._load_cancelled.set()
        async with self._changing:
            if self.status.state == "closed":
                return
            self._board.publish(Status("closed"))
            self._book.cancel_all()
            self._embeddings.close()
            await self._drain_pools()
            if self._running is not None:
                self._worker.inbox.put(Close())
                await self._running
            for pool in (self._native, *self._pools.values()):
                pool.shutdown()
            self._book.fail_all(EngineClosed())

    def _start(self) -> None:
        if self._running is None:
            self._running = asyncio.get_running_loop().run_in_executor(self._native, self._worker.run)

    async def _drain_pools(self) -> None:
        """Waits until nothing tokenises with the model that is about to be freed."""
        preparer, self._preparer = self._preparer, None
        self._embeddings.chat = None
        await self._settle_pools()
        if preparer is not None:
            await asyncio.wrap_future(self._pools["window"].submit(preparer.close))

    async def _settle_pools(self) -> None:
        await asyncio.gather(*(asyncio.wrap_future(pool.submit(_nothing)) for pool in self._pools.values()))

    def _ready_preparer(self) -> Preparer:
        status, preparer = self.status, self._preparer
        match status.state:
            case "closed":
                raise EngineClosed
            case "dead" if isinstance(status.error, EngineDead):
                raise status.error
        if preparer is None or status.state != "ready":
            raise NotLoaded(loading=status.state == "loading")
        return preparer

    def _prepare(self, preparer: Preparer, ticket: Ticket) -> None:
        """On a pool's thread: the request's tokens, then over to the native thread.

        Unloading first withdraws the preparer, then waits for this thread: so the model cannot go while it
        tokenises."""
        try:
            if preparer is not self._preparer:
                raise NotLoaded
            if not ticket.cancelled.is_set():
                prepared = preparer.prepare(ticket.request)
                ticket.prompt, ticket.channels, ticket.guide = prepared.tokens, prepared.channels, prepared.guide
        except EngineError as error:
            self._book.close(ticket, Failed(error))
        except Exception as error:  # a bug of ours must end this request, not leave its asker waiting
            self._book.close(ticket, Failed(EngineError(f"preparing the prompt failed: {type(error).__name__}")))
        else:
            self._worker.inbox.put(Submit(ticket))

    def _open_snapshots(self, backend: Backend) -> SnapshotStore | None:
        """Native thread."""
        if self._snapshots is None:
            return None
        can_cut = backend.limits.cuts_freely
        return SnapshotStore(self._snapshots, backend.fingerprint, self._snapshot_cap_bytes, can_cut=can_cut)

    def _on_progress(self, progress: float) -> bool:
        if self._load_cancelled.is_set():
            return False
        # In steps of 5 %: llama.cpp reports each of thousands of tensors, and every change is drawn.
        self._board.publish(replace(self.status, progress=int(progress * 20) / 20))
        return True

    def _on_embedder_lost(self) -> None:
        self._embeddings.lost()

    def _on_death(self, error: EngineDead) -> None:
        self._board.publish(Status("dead", error=error))


def _nothing() -> None:
    """Run by a pool to show that all before it is done."""


def _open_native(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Backend:
    # llama_cpp takes 0.2 s to import, which the window's first paint must not wait for.
    from engine.native.backend import open_native

    return open_native(path, settings, on_progress)


def _open_native_embedder(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Embedder:
    from engine.native.embedder import open_embedder

    return open_embedder(path, settings, on_progress)
