"""Routes that need no key: a page for people who open the address in a browser, and the health check."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.error_bodies import LOADING_RETRY_S, NO_MODEL_RETRY_S
from api.request_context import KeepAliveDep, RouterDep, StatusDep

router = APIRouter()

# The page must not name the model, the version or the machine, because any web page can request it.
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Inglenook</title>
<p>This is Inglenook's endpoint. Programs on this computer can use its model here, with the APIs of OpenAI
(<code>/v1</code>), Anthropic, Ollama and llama.cpp.
<p>They need the key that Inglenook shows on its endpoint page.
</html>
"""
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


@router.get("/")
async def get_page() -> Response:
    """Returns a page with a short text about this server."""
    return HTMLResponse(PAGE, headers=PAGE_HEADERS)


@router.get("/health")
@router.get("/v1/health")
async def get_health(status: StatusDep, keep_alive: KeepAliveDep, router: RouterDep) -> Response:
    """Answers 200 once a model is ready, and 503 before, as llama.cpp's server does."""
    if status.state == "ready" or keep_alive.unloaded_model is not None or router.is_ready:
        return JSONResponse({"status": "ok"})
    loading = status.state == "loading"
    error = {"message": "Loading model" if loading else "No model", "type": "unavailable_error", "code": 503}
    retry_after_s = LOADING_RETRY_S if loading else NO_MODEL_RETRY_S
    return JSONResponse({"error": error}, 503, {"retry-after": str(retry_after_s)})
