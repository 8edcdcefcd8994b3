"""Whether there is a newer Inglenook: asked once, off at first, at most once a week. Nothing else calls home."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from importlib.metadata import version

from PySide6.QtCore import QObject
from PySide6.QtGui import QDesktopServices

from desktop.framework.actions import Action, Actions
from desktop.framework.app_window import AppWindow
from desktop.platform.task_set import TaskSet
from desktop.settings.app_settings import AppSettings
from desktop.settings.settings_file import UpdatesChoice

WEEK_S = 7 * 24 * 3600.0
QUIET_S = 20.0
"""After the start, until the question or the look: the first words are the person's."""


class UpdateWiring(QObject):
    """GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        actions: Actions,
        tasks: TaskSet,
        settings: AppSettings,
    ) -> None:
        super().__init__(window)
        self._window, self._tasks, self._settings = window, tasks, settings
        actions.add(Action("look_for_updates", self.tr("Look for a new version"), self.look))
        settings.on_change("updates", self._look_if_on)

    async def begin(self, n_chats: Callable[[], int]) -> None:
        """Some time after the start: looks, where that is allowed and a week has gone by; or asks, once, somebody who
        has been here before."""
        await asyncio.sleep(QUIET_S)
        if self._settings.value.updates == "on":
            if time.time() - self._settings.value.updates_looked_at >= WEEK_S:
                await self._look(quietly=True)
        elif self._settings.value.updates == "unasked" and n_chats() > 0 and not self._window.toast.text:
            self._settings.change(updates="off")  # asked, and no answer is no
            self._window.toast.show_message(
                self.tr("May Inglenook look once a week whether there is a new version? Nothing about you is sent."),
                action=self.tr("Yes"),
                act=lambda: self.choose(True),
                topic="updates",
            )

    def choose(self, on: bool) -> None:
        self._settings.change(updates="on" if on else "off")

    def _look_if_on(self, choice: UpdatesChoice) -> None:
        if choice == "on":
            self._tasks.spawn(self._look(quietly=True), "look for a new version")

    def look(self) -> None:
        """Now, because somebody wants to know."""
        self._tasks.spawn(self._look(quietly=False), "look for a new version")

    async def _look(self, *, quietly: bool) -> None:
        from desktop.updates.releases import Release, UpdateCheckError, newer_release  # late: seldom used

        try:
            release: Release | None = await asyncio.to_thread(newer_release, version("inglenook"))
        except UpdateCheckError as error:
            if not quietly:
                words = self.tr("It could not be learned whether there is a new version: {reason}.")
                self._window.toast.show_message(words.format(reason=error.reason), alert=True, topic="updates")
            return
        self._settings.change(updates_looked_at=time.time())
        if release is not None:
            words = self.tr("Inglenook {version} is there.").format(version=release.version)
            what_is_new = self.tr("What is new")
            self._window.toast.show_message(words, action=what_is_new, act=lambda: self._show(release), topic="updates")
        elif not quietly:
            self._window.toast.show_message(self.tr("This is the newest version."), for_ms=6_000, topic="updates")

    def _show(self, release: object) -> None:
        from desktop.updates.release_dialog import ReleaseDialog
        from desktop.updates.releases import Release

        assert isinstance(release, Release)
        card = ReleaseDialog(release, self._window.theme, self._window)
        card.download_requested.connect(QDesktopServices.openUrl)
        card.open()
