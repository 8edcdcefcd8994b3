"""What is open without a key: a page for whoever looks with a browser, and the state of health."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.deps import KeepAliveDep, StatusDep
from api.errors import EMPTY_RETRY_S, LOADING_RETRY_S

router = APIRouter()

# Says nothing about the model, the version or the machine: any page that a browser shows can ask for this one.
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Inglenook</title>
<p>This is Inglenook's endpoint. Tools on this computer reach its model here, in the ways of OpenAI
(<code>/v1</code>), Anthropic, Ollama and llama.cpp.
<p>They need the key that Inglenook shows on its endpoint page.
</html>
"""
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


@router.get("/")
async def page() -> Response:
    return HTMLResponse(PAGE, headers=PAGE_HEADERS)


@router.get("/health")
@router.get("/v1/health")
async def health(status: StatusDep, keep_alive: KeepAliveDep) -> Response:
    """llama.cpp's answers, which scripts wait for: 200 once requests are served, 503 before."""
    if status.state == "ready" or keep_alive.unloaded_model is not None:
        return JSONResponse({"status": "ok"})
    loading = status.state == "loading"
    error = {"message": "Loading model" if loading else "No model", "type": "unavailable_error", "code": 503}
    retry_after_s = LOADING_RETRY_S if loading else EMPTY_RETRY_S
    return JSONResponse({"error": error}, 503, {"retry-after": str(retry_after_s)})
