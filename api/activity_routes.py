"""Routes that list and cancel requests. A named key gives access to the requests that were sent with it; the endpoint's
own key gives access to all requests."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.errors import RequestNotFound
from api.request_context import ActivityDep, KeyHolderDep

router = APIRouter(prefix="/v1/activity")


@router.get("")
async def list_requests(activity: ActivityDep, holder: KeyHolderDep) -> Response:
    """Lists the requests, and the usage by key. Requests in progress precede ended ones. Those in progress begin with
    the oldest request, the ended ones with the newest."""
    usage = {name: asdict(used) for name, used in activity.usage(holder).items()}
    return JSONResponse({"object": "list", "data": [asdict(view) for view in activity.views(holder)], "keys": usage})


@router.delete("")
async def stop_requests(activity: ActivityDep, holder: KeyHolderDep) -> Response:
    """Cancels all requests in progress to which the key gives access."""
    return JSONResponse({"stopped": activity.cancel_all(holder)})


@router.delete("/{request_id}")
async def stop_request(request_id: str, activity: ActivityDep, holder: KeyHolderDep) -> Response:
    """Cancels one request in progress."""
    if not activity.stop(request_id, holder):
        raise RequestNotFound
    return JSONResponse({"stopped": 1})
