"""How many tokens things take, asked of the model that is loaded. Qt-free; loop's thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from desktop.chat.prompt_messages import fenced, prompt_messages_of
from desktop.store.records import Attachment, ChatMessage, ChatSettings
from engine.prompt.context_fit import ContextFit
from engine.requests import ChatRequest, Message

if TYPE_CHECKING:
    from engine.engine import Engine


class TokenCounter:
    """All work runs in pools, never on the loop's thread. All raise EngineError."""

    async def fit(self, engine: Engine, branch: Sequence[ChatMessage], settings: ChatSettings) -> ContextFit:
        """How this branch fits into the context. The prompt is made in the pool: a long chat takes a while."""
        messages = await asyncio.get_running_loop().run_in_executor(None, prompt_messages_of, tuple(branch), settings)
        if not messages:
            n_ctx = engine.status.model.n_ctx if engine.status.model is not None else 0
            return ContextFit(0, n_ctx, (), 0, True)
        return await engine.fit(messages)

    async def attachment(self, engine: Engine, attachment: Attachment) -> int:
        """Tokens that this file adds to a message."""
        return await self.text(engine, await asyncio.get_running_loop().run_in_executor(None, fenced, attachment))

    async def text(self, engine: Engine, text: str) -> int:
        """Tokens that these words add to a chat."""
        if not text:
            return 0
        with_text, without = [await engine.ask.count(_said(each)) for each in (text, "")]
        return max(0, with_text - without)


def _said(text: str) -> ChatRequest:
    return ChatRequest((Message("user", text),), "window")
