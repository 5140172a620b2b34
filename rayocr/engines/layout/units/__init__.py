"""Rows that are units of their own and stay apart: list items, entries of a contents, listings, verse."""
