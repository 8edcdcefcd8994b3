"""Lets the model summarise the oldest turns of a chat. Qt-free; event-loop thread only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from desktop.chat.composer.overflow import Turn
from desktop.chat.prompt import with_attachments
from engine.events import Failed, Finished, PromptProgress, TextDelta
from engine.requests import ChatRequest, Message, Sampling

if TYPE_CHECKING:
    from engine.chat_engine import ChatEngine

TASK = (
    "Below is the beginning of a conversation between a user and an assistant. Summarise it so that the assistant can "
    "go on without having read it: names, facts, decisions, open questions. Be brief. Write only the summary."
)
"""Instruction to the model. It is part of the prompt, so it is not translated."""

MAX_TOKENS = 320
MIN_PIECE_LENGTH = 200
"""Texts with fewer characters are not split."""

PREFILL_SHARE = 0.5
"""Share of the progress that is reached when prefill ends. The rest is decode."""

SAMPLING = Sampling(temperature=0.2)


class Summarizer:
    """Lets the model write one summary. `progress(share)` is called with the progress from 0 to 1."""

    def __init__(self, engine: ChatEngine, n_ctx: int, progress: Callable[[float], None]) -> None:
        self._engine = engine
        self._n_output = min(MAX_TOKENS, n_ctx // 8)
        self._n_prompt = n_ctx - 2 * self._n_output
        self._progress = progress

    async def write(self, turns: Sequence[Turn], previous: str) -> str:
        """Summary of these turns and of the earlier summary `previous`. Returns `previous` if the model writes nothing.

        If the turns do not fit into one prompt, they are split into pieces. Each piece is summarised together with the
        summary of the pieces before it. Raises EngineError."""
        summary = previous
        pieces = await self._pieces(_transcript(turns))
        for number, piece in enumerate(pieces):
            summary = await self._summarize(piece, summary, number / len(pieces), 1 / len(pieces))
        return summary

    async def _pieces(self, text: str) -> list[str]:
        """Split the text into pieces, each of which fits into a prompt. A text that is too long is split near the
        middle, if possible between two paragraphs."""
        room = self._n_prompt - self._n_output
        if len(text) < MIN_PIECE_LENGTH or await self._engine.queries.count_tokens(self._request(text, "")) <= room:
            return [text]
        middle = len(text) // 2
        cut = text.find("\n\n", middle)
        cut = cut if 0 < cut < len(text) - 2 else middle
        return [*await self._pieces(text[:cut]), *await self._pieces(text[cut:])]

    def _request(self, piece: str, previous: str) -> ChatRequest:
        context = f"\n\nWhat came before:\n{previous}" if previous else ""
        # This is not a background request: API requests would delay it, although the user waits for the summary.
        return ChatRequest(
            (Message("user", f"{TASK}{context}\n\n---\n\n{piece}"),),
            "window",
            SAMPLING,
            thinking=False,
            max_tokens=self._n_output,
            wants_progress=True,
        )

    async def _summarize(self, piece: str, previous: str, done: float, share: float) -> str:
        written, n_tokens = "", 0
        async with self._engine.submit(self._request(piece, previous)) as stream:
            async for event in stream:
                match event:
                    case PromptProgress(n_read=n_read, n_prompt=n_prompt):
                        self._progress(done + share * PREFILL_SHARE * n_read / n_prompt)
                    case TextDelta():
                        written += event.text
                        n_tokens += event.n_tokens
                        written_share = PREFILL_SHARE + (1 - PREFILL_SHARE) * n_tokens / self._n_output
                        self._progress(done + share * min(0.97, written_share))
                    case Failed(error=error):
                        raise error
                    case Finished():
                        self._progress(done + share)
        return written.strip() or previous


def _transcript(turns: Sequence[Turn]) -> str:
    names = {"user": "User", "assistant": "Assistant"}
    rows = [row for turn in turns for row in turn.rows if row.text or row.attachments]
    return "\n\n".join(f"{names.get(row.role, 'User')}: {with_attachments(row.text, row.attachments)}" for row in rows)
