"""Finds rulings of scans that are hard to see."""
