"""Addresses that people type are normalised, and secrets are no part of a connection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.remote.connection import Connection, InvalidAddress, parse_address


@pytest.mark.parametrize(
    ("typed", "root", "api_path"),
    [
        ("gpu-box:8000", "http://gpu-box:8000", "/v1"),
        ("http://x/v1/", "http://x", "/v1"),
        ("HTTP://GPU-Box.lan:80/", "http://gpu-box.lan", "/v1"),
        ("  gpu-box.lan  ", "http://gpu-box.lan", "/v1"),
        ("127.0.0.1:11434", "http://127.0.0.1:11434", "/v1"),
        ("192.168.1.7", "http://192.168.1.7", "/v1"),
        ("8.8.8.8", "https://8.8.8.8", "/v1"),
        ("api.example.com", "https://api.example.com", "/v1"),
        ("https://api.example.com:443/v1", "https://api.example.com", "/v1"),
        ("https://example.com/team/llm", "https://example.com/team/llm", "/v1"),
        ("https://example.com/api/v1/chat/completions", "https://example.com/api", "/v1"),
        ("https://example.com/api/paas/v4", "https://example.com/api/paas", "/v4"),
        ("http://x/v1/models", "http://x", "/v1"),
        ("[::1]:8080", "http://[::1]:8080", "/v1"),
        ("::1", "http://[::1]", "/v1"),
        ("http://[2001:db8::1]/v1", "http://[2001:db8::1]", "/v1"),
        ("http://x//a//v1//", "http://x/a", "/v1"),
    ],
)
def test_typed_address_is_normalised(typed: str, root: str, api_path: str) -> None:
    found = parse_address(typed)
    assert (found.root, found.api_path) == (root, api_path)


def test_kind_gives_the_default_port_of_an_address_without_scheme() -> None:
    assert parse_address("gpu-box", "vllm").root == "http://gpu-box:8000"
    assert parse_address("gpu-box", "ollama").root == "http://gpu-box:11434"
    assert parse_address("http://gpu-box", "ollama").root == "http://gpu-box"
    assert parse_address("gpu-box", "openai").root == "http://gpu-box"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "ftp://x",
        "file:///etc/passwd",
        "http://",
        "http://user:secret@x/v1",
        "user@x",
        "http://x/v1?key=secret",
        "http://x/#part",
        "http://x/../admin",
        "http://x:99999",
        "http://x:0",
        "http://x:port",
        "http://a b/",
        "http://x/\r\nHost: y",
        "http://[::1",
        "http://[x]/",
        "x" * 3000,
    ],
)
def test_invalid_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_address(typed)


@given(st.text(max_size=60))
def test_any_text_is_normalised_once_or_refused(typed: str) -> None:
    try:
        first = parse_address(typed)
    except InvalidAddress:
        return
    assert parse_address(first.root + first.api_path) == first


def test_connection_tells_its_host() -> None:
    connection = Connection.to("gpu-box.lan:8000")
    assert (connection.name, connection.host, connection.is_this_computer) == ("gpu-box.lan", "gpu-box.lan", False)
    assert all(Connection.to(each).is_this_computer for each in ("localhost:1", "127.0.0.2", "[::1]:8080"))
