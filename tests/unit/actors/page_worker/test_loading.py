from __future__ import annotations

import gc

import pytest

from rayocr.actors.page_worker.loading import kept_for_good


def test_what_was_loaded_is_out_of_the_collectors_sight_and_what_comes_later_is_not() -> None:
    try:
        with kept_for_good():
            assert not gc.isenabled()
            loaded = [[]]
        later = [[]]
        assert gc.isenabled()
        seen = {id(thing) for thing in gc.get_objects()}
        assert id(later) in seen
        assert id(loaded) not in seen
    finally:
        gc.unfreeze()


def test_the_collector_runs_again_after_a_failure() -> None:
    try:
        with pytest.raises(OSError, match="no model"), kept_for_good():
            raise OSError("no model")
        assert gc.isenabled()
    finally:
        gc.unfreeze()
