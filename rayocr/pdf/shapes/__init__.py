"""Shapes of ink in pictures of pages."""
