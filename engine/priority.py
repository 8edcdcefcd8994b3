"""Who goes first. A request has one rank for its whole life, and what it leaves in memory keeps it."""

from __future__ import annotations

WINDOW, ENDPOINT, BACKGROUND = range(3)
"""Background work, titles say, comes last, whoever asked for it, and costs no chat its place in memory."""
