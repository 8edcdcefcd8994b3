"""Has the model say in short what the oldest turns said. Qt-free; loop's thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from desktop.chat.composer.overflow import Turn
from desktop.chat.prompt import with_attachments
from engine.events import Event, Failed, Finished, TextDelta
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.stream import RequestStream

TASK = (
    "Below is the beginning of a conversation between a user and an assistant. Summarise it so that the assistant can "
    "go on without having read it: names, facts, decisions, open questions. Be brief. Write only the summary."
)
"""Read by the model, so it is not translated."""

MAX_TOKENS = 320
SMALLEST = 200
"""Characters; a piece of them is not cut again."""

READING = 0.5
"""The share of the work that reading the turns is taken for; writing is the rest."""

LOOK_S = 0.15

CALM = Sampling(temperature=0.2)


class Summarizer:
    """Writes one summary. `progress(share)` hears how far it is, from 0 to 1."""

    def __init__(self, engine: Engine, n_ctx: int, progress: Callable[[float], None]) -> None:
        self._engine = engine
        self._n_output = min(MAX_TOKENS, n_ctx // 8)
        self._n_prompt = n_ctx - 2 * self._n_output
        self._progress = progress

    async def write(self, turns: Sequence[Turn], before: str) -> str:
        """The summary of `turns`, which `before` had summarised up to. "" where the model says nothing.

        Turns that are too many for one reading are read in pieces, each with the summary of those before it.
        Cancelled by its task. Raises EngineError."""
        summary = before
        pieces = await self._pieces(_transcript(turns))
        for number, piece in enumerate(pieces):
            summary = await self._one(piece, summary, number / len(pieces), 1 / len(pieces))
        return summary

    async def _pieces(self, text: str) -> list[str]:
        """Cut where the model could not read it at once, at the paragraph nearest to the middle."""
        room = self._n_prompt - self._n_output
        if len(text) < SMALLEST or await self._engine.ask.count(self._request(text, "")) <= room:
            return [text]
        middle = len(text) // 2
        cut = text.find("\n\n", middle)
        cut = cut if 0 < cut < len(text) - 2 else middle
        return [*await self._pieces(text[:cut]), *await self._pieces(text[cut:])]

    def _request(self, piece: str, before: str) -> ChatRequest:
        known = f"\n\nWhat came before:\n{before}" if before else ""
        # A person waits for it, so it is not asked for as background work, which any tool's request would hold up.
        return ChatRequest(
            (Message("user", f"{TASK}{known}\n\n---\n\n{piece}"),),
            "window",
            CALM,
            thinking=False,
            max_tokens=self._n_output,
        )

    async def _one(self, piece: str, before: str, begun: float, share: float) -> str:
        written, n_tokens = "", 0
        async with self._engine.submit(self._request(piece, before)) as stream:
            while (event := await self._next(stream, begun, share)) is not None:
                match event:
                    case TextDelta():
                        written += event.text
                        n_tokens += event.n_tokens
                        done = READING + (1 - READING) * n_tokens / self._n_output
                        self._progress(begun + share * min(0.97, done))
                    case Failed(error=error):
                        raise error
                    case Finished():
                        self._progress(begun + share)
        return written.strip() or before

    async def _next(self, stream: RequestStream, begun: float, share: float) -> Event | None:
        """The stream's next event, None at its end. Until there is one, reports how far the prompt is read."""
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    return await anext(stream)
            except StopAsyncIteration:
                return None
            except TimeoutError:
                progress = self._engine.progress(stream.request_id)
                if progress is not None and progress.n_prompt and not progress.n_output:
                    self._progress(begun + share * READING * progress.n_read / progress.n_prompt)


def _transcript(turns: Sequence[Turn]) -> str:
    names = {"user": "User", "assistant": "Assistant"}
    rows = [row for turn in turns for row in turn.rows if row.text or row.attachments]
    return "\n\n".join(f"{names.get(row.role, 'User')}: {with_attachments(row.text, row.attachments)}" for row in rows)
