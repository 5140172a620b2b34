"""Finds tables whose cells have several lines."""
