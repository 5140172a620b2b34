"""Detects rows that stay separate: list items, entries of a table of contents, code listings, verse."""
