"""Freeing the model and loading it again over HTTP, where the person has allowed that.

Always the one file of the settings: no request ever names one."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.deps import engine_of
from api.openai.models import model_object

PREFIX = "/models"


def changing(model: Path) -> APIRouter:
    """The routes, for an app whose loop owns the engine."""
    router = APIRouter(prefix=PREFIX)

    @router.post("/unload")
    async def unload(request: Request) -> Response:
        """What is being answered ends with an error; until the next load every request is answered 503."""
        await engine_of(request.app).unload()
        return JSONResponse({"success": True})

    @router.post("/load")
    async def load(request: Request) -> Response:
        """Answers when the model is there; one that is there already stays."""
        engine = engine_of(request.app)
        known = engine.status.model
        if known is None or engine.status.state != "ready":
            known = await engine.load(model)
        return JSONResponse({"success": True, "model": model_object(known)})

    return router
