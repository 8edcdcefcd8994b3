from desktop.sidebar.search_controller import SearchResultRole, SearchResultsModel
from desktop.sidebar.search_controller import plain_text as plain

__all__ = ["SearchResultRole", "SearchResultsModel", "plain"]
