"""Connects the check for new versions with the window: the question, the toasts and the dialog with release notes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QDesktopServices

from desktop.framework.actions import Action, Actions
from desktop.framework.app_window import AppWindow
from desktop.platform.task_set import TaskSet
from desktop.settings.current_settings import AppSettings
from desktop.updates import update_checker
from desktop.updates.update_checker import UpdateChecker


class UpdateWiring(QObject):
    """Asks the user, shows results, and adds the action "Check for updates". GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        actions: Actions,
        tasks: TaskSet,
        settings: AppSettings,
    ) -> None:
        super().__init__(window)
        self._window, self._tasks = window, tasks
        self._checker = UpdateChecker(settings)
        actions.add(Action("look_for_updates", self.tr("Check for updates"), self.check_now))
        settings.on_change("updates", lambda _: self._check_if_enabled())

    async def check_at_start(self, n_chats: Callable[[], int]) -> None:
        """After a delay, check for a new version if checks are allowed and one is due. A user who was never asked to
        allow checks is asked once, unless there is no chat yet or a toast is shown."""
        await asyncio.sleep(update_checker.START_DELAY_S)
        if self._checker.is_due:
            await self._check(quietly=True)
        elif self._checker.was_never_asked and n_chats() > 0 and not self._window.toast.text:
            self._checker.set_enabled(False)  # a question that is not answered counts as no
            self._window.toast.show_message(
                self.tr("Check for new versions once a week? No personal data is sent."),
                action=self.tr("Yes"),
                act=lambda: self._checker.set_enabled(True),
                topic="updates",
            )

    def _check_if_enabled(self) -> None:
        if self._checker.is_enabled:
            self._tasks.spawn(self._check(quietly=True), "check for updates")

    def check_now(self) -> None:
        """Check for a new version because the user requested it. The result is shown even if there is no new
        version."""
        self._tasks.spawn(self._check(quietly=False), "check for updates")

    async def _check(self, *, quietly: bool) -> None:
        from desktop.updates.releases import Release, UpdateCheckError  # imported here because it is rarely needed

        toast = self._window.toast
        try:
            release: Release | None = await self._checker.newer_release()
        except UpdateCheckError as error:
            if not quietly:
                text = self.tr("Could not check for a new version: {reason}.").format(reason=error.reason)
                toast.show_message(text, alert=True, topic="updates")
            return
        if release is not None:
            text = self.tr("Inglenook {version} is available.").format(version=release.version)
            what_is_new = self.tr("What is new")
            toast.show_message(text, action=what_is_new, act=lambda: self._show_release(release), topic="updates")
        elif not quietly:
            toast.show_message(self.tr("This is the newest version."), for_ms=6_000, topic="updates")

    def _show_release(self, release: object) -> None:
        from desktop.updates.release_dialog import ReleaseDialog
        from desktop.updates.releases import Release

        assert isinstance(release, Release)
        dialog = ReleaseDialog(release, self._window.theme, self._window)
        dialog.download_requested.connect(QDesktopServices.openUrl)
        dialog.open()
