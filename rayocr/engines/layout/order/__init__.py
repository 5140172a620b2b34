"""Determines the reading order of a page: its columns, header and footer, and notes in the margin."""
