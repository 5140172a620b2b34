"""Recognizes labels with their values, and short blocks side by side."""
