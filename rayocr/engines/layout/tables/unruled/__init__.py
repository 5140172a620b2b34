"""Finds tables without a grid, and parts of them that the search for aligned cells omits."""
