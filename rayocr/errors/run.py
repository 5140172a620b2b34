"""Defines the errors that end a run: wrong usage, an external cause, or an interruption."""

from __future__ import annotations

from rayocr.errors.base import RayocrError


class UsageError(RayocrError):
    """Wrong options or configuration. `shell_hint`: a further next step that makes sense only on the command line."""

    exit_code = 2

    def __init__(self, message: str = "", *, hint: str | None = None, shell_hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.shell_hint = shell_hint


class OutsideError(RayocrError):
    exit_code = 3


class CredentialsError(OutsideError):
    @classmethod
    def no_gemini_key(cls) -> CredentialsError:
        hint = "Set GEMINI_API_KEY in the environment or in .env, or use engine=local."
        return cls("engine=gemini needs an API key.", hint=hint)


class UnknownModel(OutsideError):
    default_hint = "Choose another model, then start the same command again to resume."


class ServerUnreachable(OutsideError):
    pass


class ModelUnavailable(OutsideError):
    default_hint = (
        "Start the same command again to resume. To read the remaining pages with the next engine of the chain,"
        " set engine.on_outage=fallback."
    )


class QuotaDenied(OutsideError):
    default_hint = (
        "Check the project's billing, tier and spend cap at https://aistudio.google.com/usage, then start the same command"
        " again to resume."
    )


class DayQuotaExhausted(OutsideError):
    """The daily quota is exhausted. `resumes_at`: start of the next quota day, in seconds since 1970."""

    def __init__(self, message: str = "", *, hint: str | None = None, resumes_at: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.resumes_at = resumes_at


class BudgetExhausted(OutsideError):
    """A budget is spent. `resumes_at`: start of the next day or month, in seconds since 1970; None for the budget of a run."""

    default_hint = "To resume, start the same command again with a budget.usd= for the rest."

    def __init__(self, message: str = "", *, hint: str | None = None, resumes_at: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.resumes_at = resumes_at


class SharedLimitsUnavailable(OutsideError):
    default_hint = (
        "Start the same command again when Redis is available, or use limits.shared=none if no other run uses the quota."
    )


class ClusterUnavailable(OutsideError):
    pass


class Interrupted(RayocrError):
    exit_code = 130
    default_hint = "Start the same command again to resume."


class Draining(Exception):
    """The run or the worker is draining: it sends no new request and leaves unfinished work to the next run. This is not a
    failure."""
