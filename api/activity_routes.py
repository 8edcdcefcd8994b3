"""What tools are doing here now, to be looked at and stopped."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.deps import Holder, Requests
from api.errors import RequestNotFound

router = APIRouter(prefix="/v1/activity")


@router.get("")
async def list_calls(activity: Requests, holder: Holder) -> Response:
    """Under way first, the oldest before the others; then the last that have ended, the newest first. And what was
    used with each key. A tool sees what came with its own key, the endpoint's own key sees all."""
    keys = {name: asdict(used) for name, used in activity.usage_of(holder).items()}
    return JSONResponse({"object": "list", "data": [asdict(call) for call in activity.calls_of(holder)], "keys": keys})


@router.delete("")
async def stop_all(activity: Requests, holder: Holder) -> Response:
    return JSONResponse({"stopped": activity.cancel_all(holder)})


@router.delete("/{call_id}")
async def stop_call(call_id: str, activity: Requests, holder: Holder) -> Response:
    if not activity.stop(call_id, holder):
        raise RequestNotFound
    return JSONResponse({"stopped": 1})
