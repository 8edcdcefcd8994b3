"""Unsupported proxies are reported with a short error, without the proxy's password and without a traceback."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest

from desktop.models.strings import hub_error
from desktop.updates.releases import UpdateCheckError, newer_release
from engine.library.http_client import redacted
from engine.library.http_transfer import StopSignal, Transfer
from engine.library.hub import Hub, ModelVariant, RemoteFile
from engine.library.hub_errors import HubUnreachable, ProxyUnusable

ADDRESS = "http://127.0.0.1:9"
UNUSABLE = [
    ("socks://127.0.0.1:9/", "socks5://127.0.0.1:9"),
    ("socks5://127.0.0.1:9", "socks5://127.0.0.1:9"),
    ("socks5h://me:s3cret@127.0.0.1:9", "socks5h://127.0.0.1:9"),
    ("socks4://127.0.0.1:9", "socks4://127.0.0.1:9"),
    ("ftp://me:s3cret@127.0.0.1:9", "ftp://127.0.0.1:9"),
    ("http://me:s3cret@[::1", "http://…"),
    ("http://me:s3cret@host:port", "http://…"),
]


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    huggingface_hub.close_session()  # an earlier test may have opened the session without a proxy
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("INGLENOOK_RELEASES", ADDRESS)


def fetch(folder: Path) -> None:
    transfer = Transfer(connect_s=1, stall_s=1, max_tries=1)
    transfer.fetch(ADDRESS, folder / "a.part", 10, StopSignal(), lambda n_bytes: None)


@pytest.mark.parametrize(("given", "redacted_address"), UNUSABLE)
def test_error_names_the_unsupported_proxy_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str, redacted_address: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", given)
    hub = Hub(ADDRESS)
    choice = ModelVariant("a/b", "main", "Q4_0", (RemoteFile("a.gguf", 10, "0"),))
    assert hub.download_url(choice, choice.files[0])
    for ask in (lambda: hub.search("smollm"), lambda: hub.variants("a/b"), lambda: fetch(tmp_path)):
        with pytest.raises(ProxyUnusable) as refused:
            ask()
        assert refused.value.proxy == redacted_address
        for text in (str(refused.value), hub_error(refused.value)):
            assert redacted_address in text
            assert "s3cret" not in text
    with pytest.raises(UpdateCheckError, match="proxy") as looked:
        newer_release("1.0")
    assert "s3cret" not in looked.value.reason


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("given", ["127.0.0.1:9", "http://me:p%40ss@127.0.0.1:9"])
def test_proxy_that_does_not_answer_raises_hub_unreachable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, given: str
) -> None:
    monkeypatch.setenv(name, given)
    with pytest.raises(HubUnreachable) as refused:
        Hub(ADDRESS).search("smollm")
    assert not isinstance(refused.value, ProxyUnusable)
    assert "p%40ss" not in str(refused.value)
    with pytest.raises(HubUnreachable):
        fetch(tmp_path)


@pytest.mark.parametrize("hosts", ["localhost,[::1],fd00::/8,*", "[::1,,10.0.0.0/8"])
def test_unusual_values_of_environment_variable_no_proxy_are_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hosts: str
) -> None:
    monkeypatch.setenv("NO_PROXY", hosts)
    with pytest.raises(HubUnreachable):
        fetch(tmp_path)


def test_redacted_proxy_address_contains_neither_user_name_nor_password() -> None:
    assert redacted("http://user:pass@proxy.example:3128/path") == "http://proxy.example:3128"
    assert redacted("socks5://[::1]:1080") == "socks5://[::1]:1080"
