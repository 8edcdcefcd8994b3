"""Freeing the model and loading it again over HTTP, where the person has allowed that."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import KeepAliveDep
from api.openai.models import model_object

router = APIRouter(prefix="/models")


@router.post("/unload")
async def unload(keep_alive: KeepAliveDep) -> Response:
    """What is being answered ends with an error; until the next load every request is answered 503."""
    await keep_alive.unload()
    return JSONResponse({"success": True})


@router.post("/load")
async def load(keep_alive: KeepAliveDep) -> Response:
    """Answers when the model is there; one that is there already stays."""
    return JSONResponse({"success": True, "model": model_object(await keep_alive.load())})
