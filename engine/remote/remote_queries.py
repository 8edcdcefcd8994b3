"""Queries about a model on another server, as far as the server answers them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from engine.errors import ServerFailed, Unsupported
from engine.prompt.context_fit import ContextFit, fit_to_context
from engine.prompt.token_estimate import estimated_tokens
from engine.remote.client import ConnectionClient
from engine.remote.remote_model import RemoteModel
from engine.remote.request_body import template_body
from engine.remote.untrusted_json import JsonObject, count_in, list_in, object_in, text_in
from engine.requests import ChatRequest, Message
from engine.status import ModelProps


class RemoteQueries:
    """See `engine.chat_engine.Queries`. May be used on any thread with a running event loop. Every query can raise the
    errors of the connection; those that the server does not offer raise Unsupported."""

    def __init__(self, client: ConnectionClient, model: RemoteModel) -> None:
        self._client = client
        self._model = model
        self._has_llama_routes = model.kind in ("llama.cpp", "inglenook")

    async def props(self) -> ModelProps:
        """Returns the properties that the server tells; empty texts otherwise."""
        if not self._has_llama_routes:
            return ModelProps("", "", "", 1, supports_fim=False)
        props = await self._client.thread.call(self._client.get("/props"))
        return ModelProps(
            text_in(props, "chat_template"),
            text_in(props, "bos_token"),
            text_in(props, "eos_token"),
            max(count_in(props, "total_slots"), 1),
            supports_fim=False,
            supports_drafts=object_in(props, "default_generation_settings").get("speculative") is True,
        )

    async def fit(self, messages: Sequence[Message]) -> ContextFit:
        """Returns how the messages fit into the context. If the server does not tell its length, they do."""
        n_prompt = await self._client.thread.call(self._count(_chat(messages)))
        n_ctx = self._model.n_ctx
        if not n_ctx:
            return ContextFit(n_prompt, 0, (), n_prompt, True)

        def count(some: Sequence[Message]) -> int:
            if len(some) == len(messages):
                return n_prompt
            return self._client.thread.run_blocking(self._count(_chat(some)))

        return await asyncio.to_thread(fit_to_context, messages, count, n_ctx)

    async def count_tokens(self, request: ChatRequest) -> int:
        """Returns the number of tokens in the request's prompt: that of the model if `Capabilities.counts_tokens`,
        otherwise an estimate."""
        return await self._client.thread.call(self._count(request))

    async def render(self, request: ChatRequest) -> str:
        if not self._has_llama_routes:
            raise Unsupported("showing the prompt")
        return await self._client.thread.call(self._render(request))

    async def tokenize(self, text: str, *, add_special: bool = True, parse_special: bool = True) -> tuple[int, ...]:
        if not self._has_llama_routes:
            raise Unsupported("tokenization")
        return await self._client.thread.call(self._tokenize(text, add_special, parse_special))

    async def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        raise Unsupported("the texts of tokens")

    async def fim_prompt(self, before: str, behind: str, *, context: str = "", start: str = "") -> tuple[int, ...]:
        raise Unsupported("fill-in-the-middle prompts")

    async def _count(self, request: ChatRequest) -> int:
        if not self._model.capabilities.counts_tokens:
            return estimated_tokens(request)
        if self._has_llama_routes:
            return len(await self._tokenize(await self._render(request), True, True))
        reply = await self._client.post("/tokenize", self._template_body(request))
        if (n_tokens := count_in(reply, "count")) == 0:
            raise ServerFailed(self._client.host, "it did not count the tokens", 200)
        return n_tokens

    async def _render(self, request: ChatRequest) -> str:
        reply = await self._client.post("/apply-template", self._template_body(request))
        return text_in(reply, "prompt")

    async def _tokenize(self, text: str, add_special: bool, parse_special: bool) -> tuple[int, ...]:
        body = {"content": text, "add_special": add_special, "parse_special": parse_special, "model": self._model.id}
        tokens = list_in(await self._client.post("/tokenize", body), "tokens")
        return tuple(token for token in tokens if isinstance(token, int))

    def _template_body(self, request: ChatRequest) -> JsonObject:
        return template_body(request, self._model.id, self._model.kind, self._model.capabilities)


def _chat(messages: Sequence[Message]) -> ChatRequest:
    return ChatRequest(tuple(messages), "window")
