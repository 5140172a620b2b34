"""Handles particular scripts: columns of Chinese and Japanese, and Korean words that are divided between lines."""
