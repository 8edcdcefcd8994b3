"""Tests of addresses in Markdown: only safe addresses become links, and only local images are loaded."""

from __future__ import annotations

import pytest

from desktop.render.blocks import InlineImage
from desktop.render.markdown import blocks
from desktop.render.safe_addresses import is_local_image, is_safe_link


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vbscript:x", "//x"]
)
def test_unsafe_address_does_not_become_a_link(address: str) -> None:
    assert not is_safe_link(address)
    assert "<a " not in blocks(f"[click]({address})")[0].html
    assert "click" in blocks(f"[click]({address})")[0].html


def test_web_and_mail_addresses_become_links() -> None:
    for address in ("https://a.example/", "http://a.example", "mailto:me@a.example"):
        assert is_safe_link(address)
        assert f'<a href="{address}">x</a>' in blocks(f"[x]({address})")[0].html
    assert not is_safe_link("http://[broken")


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example/cat.png", "//a.example/cat.png", "\\\\a.example\\cat.png", "/\\a.example/cat.png", "cat.png",
        "file://a.example/cat.png", "file:////a.example/cat.png", "data:text/html,x", "javascript:x", "ftp://a/b.png",
        "C://a/cat.png",
    ],
)  # fmt: skip
def test_remote_image_is_shown_as_its_description(address: str) -> None:
    assert not is_local_image(address)
    read = blocks(f"![a <cat>](<{address}>)")[0]
    assert not read.inline_images
    assert "a &lt;cat&gt;" in read.html


@pytest.mark.parametrize(
    "address", ["data:image/png;base64,AAAA", "/home/me/cat.png", "file:///home/me/cat.png", "C:/me/cat.png"]
)
def test_local_image_becomes_an_inline_image(address: str) -> None:
    assert blocks(f"![a cat](<{address}>)")[0].inline_images == (InlineImage("picture", address, "a cat"),)
