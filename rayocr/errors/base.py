"""Defines the root of the tree of errors."""

from __future__ import annotations

from rayocr.masking import masked

_TREE = __name__.rpartition(".")[0]  # only classes of this package count, since Ray and tests derive classes elsewhere


class RayocrError(Exception):
    """The base class of all errors that rayocr raises on purpose. `str(error)` is one sentence for the user; `hint` is the next
    step. Both are masked, since quoted messages of SDKs may contain a secret."""

    exit_code: int = 1
    transient: bool = False
    default_hint: str | None = None
    in_json: bool = False  # whether the JSON of the run has been printed, which includes this error

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(masked(message))
        self.set_hint(hint or type(self).default_hint)

    def set_hint(self, hint: str | None) -> None:
        """Replaces the hint, also in tracebacks."""
        self.hint = masked(hint) if hint else None
        self.__notes__ = [self.hint] if self.hint else []

    @property
    def reason(self) -> str:
        """The class name, which groups dead letters, manifests and metrics."""
        return next(c.__name__ for c in type(self).__mro__ if c.__module__.startswith(_TREE))
