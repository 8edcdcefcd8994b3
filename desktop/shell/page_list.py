"""The list of all pages, in the order in which the sidebar and the command palette show them."""

from __future__ import annotations

from desktop.chat.registration import CHAT_PAGE
from desktop.endpoint.registration import ENDPOINT_PAGE
from desktop.framework.pages import Page
from desktop.help.registration import HELP_PAGE
from desktop.models.registration import MODELS_PAGE
from desktop.settings.registration import SETTINGS_PAGE

PAGES: tuple[Page, ...] = (CHAT_PAGE, MODELS_PAGE, ENDPOINT_PAGE, SETTINGS_PAGE, HELP_PAGE)
