"""Defines the values of mode=, which select what the program does."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    run = "run"
    status = "status"
    cancel = "cancel"
    estimate = "estimate"
    report = "report"
    submit = "submit"
    retry = "retry"
    dismiss = "dismiss"
    watch = "watch"
    login = "login"
    view = "view"
    correct = "correct"
    reread = "reread"
