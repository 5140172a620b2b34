"""Implements the results view: `rayocr view OUT` shows, searches and corrects the outputs of runs. It does not start Ray."""
