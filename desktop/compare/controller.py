"""Opens the sheet for comparing models, and lets the chosen models answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QObject

from desktop.chat.composer.composer_controller import ComposerController
from desktop.chat.controller import ChatController
from desktop.chat.page import ChatPage
from desktop.compare import strings
from desktop.compare.model_choice import ChosenModels, ModelChoice
from desktop.compare.sheet import CompareSheet
from desktop.framework.actions import Action
from desktop.framework.app_window import AppWindow

translate = QCoreApplication.translate


class CompareController(QObject):
    """Controller of the sheet. Exists as long as its window. GUI thread only.

    `choices()` returns the models that are known; `look_for_models()` begins to look for more."""

    def __init__(
        self,
        window: AppWindow,
        page: ChatPage,
        chats: ChatController,
        composer: ComposerController,
        choices: Callable[[], Sequence[ModelChoice]],
        look_for_models: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._window, self._page, self._chats, self._composer = window, page, chats, composer
        self._choices, self._look_for_models = choices, look_for_models
        self.models = ChosenModels()
        self._sheet: CompareSheet | None = None
        self.action = Action(
            "compare_models",
            translate("actions", "Compare models…"),
            self.open,
            menu="chat",
            icon="list-checks",
        )
        page.composer.edited.connect(self.refresh)
        chats.sessions.opened.connect(self.refresh)
        chats.sessions.answering_changed.connect(self.refresh)

    def open(self) -> None:
        """Open the sheet, or close it if it is open."""
        sheet = self.sheet
        if sheet.isVisible():
            sheet.close_sheet()
            return
        self._window.show_page("chat")
        self._look_for_models()
        self._refresh(sheet)
        self._page.open_compare_sheet()

    @property
    def sheet(self) -> CompareSheet:
        """The sheet, which is created when it is first needed."""
        if self._sheet is None:
            self._sheet = CompareSheet(self._window.theme, self._page)
            self._sheet.chosen.connect(self._choose)
            self._sheet.start_requested.connect(self._start)
            self._sheet.closed.connect(self._page.composer.setFocus)
            self._page.add_compare_sheet(self._sheet)
        return self._sheet

    def refresh(self) -> None:
        """Show the current models and the current question, if the sheet is open."""
        if self._sheet is not None and self._sheet.isVisible():
            self._refresh(self._sheet)

    def _refresh(self, sheet: CompareSheet) -> None:
        self.models.offer(self._choices())
        sheet.show_models(self.models)
        question, answering = self._question(), self._chats.sessions.answering
        hosts = [each.host for each in self.models.chosen if each.host]
        hint = strings.hint(len(self.models.chosen), hosts, has_question=bool(question), is_answering=answering)
        sheet.show_question(question, hint, can_start=self.models.can_start and bool(question) and not answering)

    def _question(self) -> str:
        """The draft in the composer, or else the last question of the open chat."""
        if self._composer.attachments.list.is_reading:
            return ""
        draft = self._composer.sender.branch()[-1]
        names = ", ".join(each.name for each in draft.attachments)
        rows = self._chats.sessions.messages.rows
        last = next((row.text for row in reversed(rows) if row.role == "user"), "")
        return draft.text.strip() or names or last

    def _choose(self, key: str, on: bool) -> None:
        self.models.choose(key, on)
        self.refresh()

    def _start(self) -> None:
        if self.models.can_start and self._composer.sender.compare([each.make_source() for each in self.models.chosen]):
            self.sheet.close_sheet()
