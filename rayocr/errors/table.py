"""Defines the errors of rows for Supabase. They never end a run."""

from __future__ import annotations

from rayocr.errors.base import RayocrError


class TableError(RayocrError):
    pass


class TableUnavailable(TableError):
    """The table is unavailable; a retry can help."""


class TableMisconfigured(TableError):
    """The table accepts no row until a person corrects the configuration."""


class RowsRefused(TableError):
    """The table rejects these rows; a retry cannot help."""
