"""Tests of the offer to download the model that suits the computer best, and of its mark on the models page."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect

from desktop.models import strings
from desktop.models.offer_card import OfferCard
from desktop.platform.number_format import size
from desktop.settings.settings_file import SettingsFile
from engine.errors import ModelFileError
from engine.files.profile import Profile
from engine.library.catalogue import CatalogueEntry
from engine.library.default_model import FILE_NAME
from engine.library.network_state import has_network
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.models.page_driver import NAME, REPO, page_of, rows
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.engine.library.fake_hub import FakeHub
from tests.fakes import Script

ENTRY = CatalogueEntry(
    "Tiny Chat", REPO, NAME, "Q4_K_M", 43_000_000, 80_000_000, 8192, "Apache-2.0", "llama", "everyday", rank=1
)
OTHER = CatalogueEntry(
    "Smaller", "a/b", "b.gguf", "Q4_K_M", 4_000_000, 8_000_000, 8192, "MIT", "llama", "quick", rank=2
)


@pytest.fixture
def included(fake_hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the included model. The catalogue has two entries, of which the second suits the computer best, and
    there is a network."""
    monkeypatch.setattr("desktop.models.library_controller.catalogue", lambda: (OTHER, ENTRY))
    monkeypatch.setattr("desktop.models.library_controller.best_for_machine", lambda entries, fit_of, total: ENTRY)
    monkeypatch.setattr("desktop.models.offer_wiring.has_network", lambda: True)
    return tmp_path / FILE_NAME


def card_of(gui: Gui) -> OfferCard | None:
    return gui.window.chat_page.greeting.findChild(OfferCard)


async def offered(gui: Gui) -> OfferCard:
    await until(lambda: card_of(gui) is not None and card_of(gui).isVisible())  # type: ignore[union-attr]
    card = card_of(gui)
    assert card is not None
    return card


async def settled(gui: Gui) -> None:
    """Wait until the models page has its recommended models, which is later than an offer would be made."""
    await until(lambda: gui.ready)
    gui.window.sidebar.page_buttons["models"].click()
    await until(lambda: len(rows(page_of(gui).recommended.view)) >= 1)


def test_offer_states_size_licence_and_source_and_sends_nothing_before_it_is_accepted(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, included: Path
) -> None:
    async def story() -> None:
        async with open_gui(file=included) as gui:
            card = await offered(gui)
            assert card.title.text() == "Tiny Chat suits this computer best"
            assert "huggingface.co/makers/Tiny-Chat-GGUF" in card.text.text()
            assert "Licence: Apache 2.0" in card.text.text()
            assert card.main.text().replace("\N{NO-BREAK SPACE}", " ") == "Download (43 MB)"
            assert fake_hub.requests == []

    run(story())


def test_chat_goes_on_during_the_download_and_the_model_is_loaded_only_on_request(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, included: Path, profile: Profile, model: bytes
) -> None:
    fake_hub.bytes_per_s = 60_000

    async def story() -> None:
        async with open_gui(file=included) as gui:
            card = await offered(gui)
            card.main.click()
            await until(lambda: " of " in card.text.text())
            assert card.title.text() == "Download of Tiny Chat"
            type_and_send(gui, "hello")
            await answered(gui)
            assert not (profile.models / NAME).exists(), "the answer came during the download"
            gui.window.sidebar.new_chat_requested.emit()
            await until(lambda: card.main.text() == "Load it")
            assert card.isVisible()
            assert (profile.models / NAME).exists()
            assert gui.opener.backends[-1].info.path == included, "loaded by itself"
            card.main.click()
            await until(lambda: gui.opener.backends[-1].info.path == profile.models / NAME)
            await until(lambda: not card.isVisible())

    run(story())


def test_download_and_refusal_leave_the_focus_in_the_chat(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, included: Path
) -> None:
    fake_hub.stop()

    async def story() -> None:
        async with open_gui(file=included) as gui:
            card, composer = await offered(gui), gui.window.chat_page.composer
            await settled(gui)
            gui.window.show_page("chat")
            card.main.click()
            await until(lambda: card.main.text() == "Try again")
            focused = gui.window.focusWidget()
            assert focused is not None
            assert composer.isAncestorOf(focused), "the focus moved although the card did not have it"
            card.other.setFocus()
            card.other.click()
            focused = gui.window.focusWidget()
            assert focused is not None
            assert composer.isAncestorOf(focused)

    run(story())


def test_declined_offer_is_not_repeated_after_a_restart(run: Run, open_gui: OpenGui, included: Path) -> None:
    async def story() -> None:
        async with open_gui(file=included) as gui:
            card = await offered(gui)
            card.other.click()
            assert not card.isVisible()
        async with open_gui(file=included) as gui:
            await settled(gui)
            assert card_of(gui) is None

    run(story())


def test_cancelled_download_hides_the_card(run: Run, open_gui: OpenGui, fake_hub: FakeHub, included: Path) -> None:
    fake_hub.faults = ["stall"]

    async def story() -> None:
        async with open_gui(file=included) as gui:
            card = await offered(gui)
            card.main.click()
            await until(lambda: " of " in card.text.text())
            card.other.click()
            await until(lambda: page_of(gui).downloads.cards)
            page_of(gui).downloads.cards[0].cancel.click()
            await until(card.isHidden)

    run(story())


def test_offer_stays_with_the_reason_after_a_failed_download(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, included: Path, profile: Profile
) -> None:
    fake_hub.stop()

    async def story() -> None:
        async with open_gui(file=included) as gui:
            card = await offered(gui)
            card.main.click()
            await until(lambda: card.main.text() == "Try again")
            assert card.text.text() == "Hugging Face cannot be reached. Models on this computer still work."
            assert card.other.text() == "Not now"
            assert not gui.window.toast.isVisible(), "the reason is shown twice"
        async with open_gui(file=included) as gui:
            card = await offered(gui)
            assert card.main.text().startswith("Download (")
            card.main.click()
            await until(lambda: card.main.text() == "Try again")
            card.other.click()
            assert not card.isVisible()
            await settled(gui)
            assert [row.name for row in rows(page_of(gui).recommended.view)] == ["Tiny Chat", "Smaller"]
            assert page_of(gui).downloads.cards == ()
        async with open_gui(file=included) as gui:
            await settled(gui)
            assert card_of(gui) is None

    run(story())


def test_interrupted_download_can_be_continued_after_a_restart(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, included: Path, profile: Profile
) -> None:
    fake_hub.faults = ["stall"] * 99

    async def story() -> None:
        async with open_gui(file=included) as gui:
            card = await offered(gui)
            card.main.click()
            await until(lambda: any(path.stat().st_size for path in profile.models.glob("*.part")))
        async with open_gui(file=included) as gui:
            card = await offered(gui)
            assert (card.main.text(), card.other.text()) == ("Continue download", "Show the models")
            fake_hub.faults = []
            card.main.click()
            await until(lambda: card.main.text() == "Load it")

    run(story())


@pytest.mark.parametrize("reason", ["missing", "damaged"])
def test_without_any_model_one_is_offered_in_the_chat_and_on_the_models_page(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, included: Path, profile: Profile, reason: str
) -> None:
    settings = SettingsFile(profile.settings)
    settings.change(model_offer_answered=True)
    settings.save()
    damaged = Script(load_error=ModelFileError(included, "its header is damaged")) if reason == "damaged" else None

    async def story() -> None:
        async with open_gui(damaged, model=reason == "damaged", file=included) as gui:
            card = await offered(gui)
            assert card.text.text().startswith("There is no model yet.")
            gui.window.sidebar.page_buttons["models"].click()
            page_card = page_of(gui).offer
            await until(page_card.isVisible)
            assert page_card.title.text() == card.title.text() == "Tiny Chat suits this computer best"
            page_card.main.click()
            await until(lambda: page_card.main.text() == "Load it" and page_card.isVisible())
            assert not gui.window.toast.isVisible() or "was downloaded" not in gui.window.toast.text
            if reason == "missing":
                page_card.main.click()
                await until(lambda: gui.ready)
                assert gui.opener.backends[-1].info.path == profile.models / NAME
                assert not page_card.isVisible()

    run(story())


@pytest.mark.parametrize("language", ["en", "de"])
def test_offer_fits_into_the_smallest_window_without_a_model(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, included: Path, language: str
) -> None:
    async def story() -> None:
        async with open_gui(model=False, language=language) as gui:
            card = await offered(gui)
            gui.window.resize(600, 450)
            await until(lambda: gui.window.height() == 450)
            await until(lambda: card.text.height() >= card.text.heightForWidth(card.text.width()))
            await until(lambda: card.main.height() >= card.main.sizeHint().height())
            greeting = gui.window.chat_page.greeting
            assert greeting.rect().contains(QRect(card.mapTo(greeting, QPoint()), card.size()))
            assert greeting._choose.isVisible()
            gui.window.resize(600, 800)
            await until(greeting._title.isVisible)

    run(story())


@pytest.mark.parametrize("reason", ["no network", "own model", "another model loaded"])
def test_no_offer_without_network_or_with_models_of_the_user(
    run: Run, open_gui: OpenGui, included: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "no network":
        monkeypatch.setattr("desktop.models.offer_wiring.has_network", lambda: False)
    if reason == "own model":
        profile.models.mkdir(parents=True, exist_ok=True)
        (profile.models / "Mine.gguf").write_bytes(b"a model")

    async def story() -> None:
        async with open_gui(file=included if reason != "another model loaded" else None) as gui:
            await settled(gui)
            assert card_of(gui) is None

    run(story())


def test_models_page_marks_the_best_model_and_lists_it_first(run: Run, open_gui: OpenGui, included: Path) -> None:
    async def story() -> None:
        async with open_gui(model=False) as gui:
            gui.window.sidebar.page_buttons["models"].click()
            await until(lambda: [row.is_best for row in rows(page_of(gui).recommended.view)] == [True, False])
            first, second = rows(page_of(gui).recommended.view)
            assert first.name == "Tiny Chat"
            assert "suits this computer best" in strings.accessible_text(first)
            assert "suits this computer best" not in strings.accessible_text(second)

    run(story())


def test_rounded_sizes_are_shown_with_about() -> None:
    assert strings.download_size(4_840_000_000, is_exact=False) == f"about {size(4_840_000_000)}"
    assert strings.download_size(4_840_000_000, is_exact=True) == size(4_840_000_000)


def test_network_state_is_read_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    class Address:
        def __init__(self, address: str) -> None:
            self.address = address

    class Stats:
        def __init__(self, isup: bool) -> None:
            self.isup = isup

    def set_interfaces(**found: tuple[bool, list[str]]) -> None:
        monkeypatch.setattr("psutil.net_if_stats", lambda: {name: Stats(up) for name, (up, _) in found.items()})
        addresses = {name: [Address(text) for text in texts] for name, (_, texts) in found.items()}
        monkeypatch.setattr("psutil.net_if_addrs", lambda: addresses)

    set_interfaces(lo=(True, ["127.0.0.1", "::1"]), eth0=(True, ["aa:bb:cc:00:11:22", "fe80::1%eth0"]))
    assert not has_network()
    set_interfaces(lo=(True, ["127.0.0.1"]), eth0=(False, ["192.168.0.7"]))
    assert not has_network()
    set_interfaces(lo=(True, ["127.0.0.1"]), eth0=(True, ["192.168.0.7"]))
    assert has_network()
