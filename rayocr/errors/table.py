"""Defines the errors of rows for Supabase. They never end a run."""

from __future__ import annotations

from rayocr.errors.base import RayocrError


class TableError(RayocrError):
    pass


class TableUnavailable(TableError):
    """Trying again can help."""


class TableMisconfigured(TableError):
    """No row is accepted until someone corrects the configuration."""


class RowsRefused(TableError):
    """Trying again cannot help."""
