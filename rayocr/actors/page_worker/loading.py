"""Excludes modules and models that a process loads once and keeps from garbage collection."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_for_good() -> Iterator[None]:
    """Excludes the objects that exist at the end of the block from garbage collection. A scan of an SDK's hundred thousand
    objects takes 0.1 s, which is 0.2 ms per page with a fast server. The collector is off in all threads during the block."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
