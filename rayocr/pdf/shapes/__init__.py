"""Finds shapes of ink in pictures of pages."""
