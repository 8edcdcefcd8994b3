"""The endpoint's OpenAPI description (`/openapi.json`), and a page that lists its routes (`/docs`). Both routes need a
key."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi import Request as HttpRequest
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.anthropic.schemas import CountBody, MessagesBody
from api.fields.adapters import AdapterScale
from api.llama_cpp.schemas import DetokenizeBody, InfillBody, LlamaCompletionBody, TokenizeBody
from api.ollama.schemas import ChatBody, EmbedBody, GenerateBody, ModelBody
from api.openai.chat.schemas import ChatCompletionBody
from api.openai.completions.schemas import CompletionBody
from api.openai.embeddings import EmbeddingsBody
from api.openai.responses.schemas import ResponsesBody
from api.public_routes import PAGE_HEADERS
from api.rerank import RerankBody

router = APIRouter(include_in_schema=False)

BODIES: Mapping[str, type[BaseModel]] = {
    "/v1/chat/completions": ChatCompletionBody,
    "/v1/chat/completions/input_tokens": ChatCompletionBody,
    "/v1/completions": CompletionBody,
    "/v1/embeddings": EmbeddingsBody,
    "/v1/rerank": RerankBody,
    "/v1/reranking": RerankBody,
    "/v2/rerank": RerankBody,
    "/v1/responses": ResponsesBody,
    "/v1/responses/input_tokens": ResponsesBody,
    "/v1/messages": MessagesBody,
    "/v1/messages/count_tokens": CountBody,
    "/api/chat": ChatBody,
    "/api/generate": GenerateBody,
    "/api/show": ModelBody,
    "/api/embed": EmbedBody,
    "/api/embeddings": EmbedBody,
    "/tokenize": TokenizeBody,
    "/detokenize": DetokenizeBody,
    "/apply-template": ChatCompletionBody,
    "/infill": InfillBody,
    "/completion": LlamaCompletionBody,
    "/lora-adapters": AdapterScale,
}
"""Body schemas by path. FastAPI does not know them, because routes parse their bodies themselves, after the key and the
model have been checked."""

LIST_BODIES = frozenset({"/lora-adapters"})
"""Paths whose body is a list of objects of the schema in BODIES."""


def describe(app: FastAPI) -> dict[str, Any]:
    """Describes the routes and body schemas of `app` as an OpenAPI 3.1 document."""
    found = get_openapi(title=app.title, version="1", openapi_version="3.1.0", routes=app.routes)
    shapes = sorted(set(BODIES.values()), key=lambda shape: shape.__name__)
    names, schemas = models_json_schema(
        [(shape, "validation") for shape in shapes], ref_template="#/components/schemas/{model}"
    )
    components = found.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **schemas.get("$defs", {})}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    found["security"] = [{"key": []}]
    for path, routes in found["paths"].items():
        body = BODIES.get(path) or BODIES.get(f"/v1{path}")
        if body is not None and "post" in routes:
            schema = names[(body, "validation")]
            schema = {"type": "array", "items": schema} if path in LIST_BODIES else schema
            content = {"application/json": {"schema": schema}}
            routes["post"]["requestBody"] = {"required": True, "content": content}
    return found


@router.get("/openapi.json")
async def get_description(http: HttpRequest) -> Response:
    return JSONResponse(describe(http.app))


@router.get("/docs")
async def get_page(http: HttpRequest) -> Response:
    """Returns a page with a table of the routes, without scripts."""
    rows = [
        f"<tr><td>{method.upper()}<td><code>{escape(path)}</code><td>{escape(route.get('description', ''))}"
        for path, methods in describe(http.app)["paths"].items()
        for method, route in methods.items()
    ]
    return HTMLResponse(
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Inglenook: routes</title>\n'
        '<p>The endpoint\'s routes. Their body schemas are in <a href="/openapi.json">openapi.json</a>.\n'
        f"<table>\n{chr(10).join(rows)}\n</table>\n</html>\n",
        headers=PAGE_HEADERS,
    )
