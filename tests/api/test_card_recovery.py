"""A server without a window loads its model again after its graphics card was lost."""

from __future__ import annotations

from engine.backend import CardFailure, NativeFailure
from tests.api.live_endpoint import ask, live, wait_until
from tests.fakes import FakeOpener, Script


def test_server_loads_the_model_again_after_a_lost_card_and_then_on_the_processor() -> None:
    script = Script(b"Hello there.", failure=CardFailure)
    with live(FakeOpener(script)) as endpoint:
        loads = endpoint.opener.settings
        for devices in (None, (), ()):
            loads.clear()
            script.fail_after = 0
            lost = endpoint.post(ask())
            assert lost.status_code == 503
            assert "graphics card" in lost.text
            script.fail_after = None
            wait_until(lambda: bool(loads) and endpoint.engine.status.state == "ready")
            assert [each.devices for each in loads] == [devices]
            assert endpoint.post(ask()).status_code == 200
        assert not endpoint.failures


def test_server_does_not_load_the_model_again_after_another_failure() -> None:
    script = Script(b"Hello there.", failure=NativeFailure, fail_after=0)
    with live(FakeOpener(script)) as endpoint:
        assert endpoint.post(ask()).status_code == 503
        wait_until(lambda: endpoint.engine.status.state == "dead")
        assert endpoint.post(ask()).status_code == 503
        assert len(endpoint.opener.settings) == 1
