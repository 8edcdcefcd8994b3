"""/openapi.json and /docs describe the routes, and need the key."""

from __future__ import annotations

import json

import httpx

from api.openapi import BODIES
from tests.api.live_endpoint import Live


def test_openapi_document_has_body_schema_for_every_post_route(endpoint: Live) -> None:
    with endpoint.http() as client:
        found = client.get("/openapi.json").json()
    assert found["openapi"] == "3.1.0"
    posted = {path for path, routes in found["paths"].items() if "post" in routes}
    assert set(BODIES) <= posted
    for path in posted:
        assert path.endswith("/cancel") or "requestBody" in found["paths"][path]["post"], path
    chat = found["paths"]["/v1/chat/completions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    name = chat["$ref"].removeprefix("#/components/schemas/")
    assert {"messages", "temperature", "tools"} <= set(found["components"]["schemas"][name]["properties"])


def test_every_schema_reference_in_openapi_document_resolves(endpoint: Live) -> None:
    with endpoint.http() as client:
        text = client.get("/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named <= set(schemas)


def test_docs_page_lists_routes(endpoint: Live) -> None:
    with endpoint.http() as client:
        page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/messages/count_tokens" in page.text
    assert "<script" not in page.text


def test_docs_and_openapi_routes_need_key(endpoint: Live) -> None:
    for path in ("/docs", "/openapi.json"):
        assert httpx.get(f"{endpoint.root}{path}", trust_env=False).status_code == 401
