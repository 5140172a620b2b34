"""Defines the root of the tree of errors."""

from __future__ import annotations

from rayocr.masking import masked

_TREE = __name__.rpartition(".")[0]  # this package: Ray and tests derive classes elsewhere


class RayocrError(Exception):
    """Root of the tree. `str(error)` is one sentence for the user; `hint` says what to do next. Both are masked, since messages
    of SDKs that they quote may contain a secret."""

    exit_code: int = 1
    transient: bool = False
    default_hint: str | None = None
    in_json: bool = False  # the JSON of a run that it stopped has been printed, and includes it

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(masked(message))
        self.set_hint(hint or type(self).default_hint)

    def set_hint(self, hint: str | None) -> None:
        """Replaces the hint, also where a traceback shows it."""
        self.hint = masked(hint) if hint else None
        self.__notes__ = [self.hint] if self.hint else []

    @property
    def reason(self) -> str:
        """The class name, by which dead letters, manifests and metrics are grouped."""
        return next(c.__name__ for c in type(self).__mro__ if c.__module__.startswith(_TREE))
