"""Implements the command line. `main` takes arguments and returns an exit code."""

from rayocr.cli.command import main

__all__ = ["main"]
