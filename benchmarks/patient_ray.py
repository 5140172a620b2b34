"""`ray start` that waits longer for its node than the 30 s that Ray has fixed: on a machine that is busy with other work they
pass before the raylet has registered. `python -m benchmarks.patient_ray start --head …`; or `be_patient()` before a Cluster is
made.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from ray._private import services

_PATIENCE_S = 240.0


def be_patient() -> None:
    """For every node that this process starts from now on."""
    look = services.get_node

    def look_patiently(*arguments: Any, **options: Any) -> Any:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return look(*arguments, **options)
            except RuntimeError:  # not registered yet
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    services.get_node = look_patiently


if __name__ == "__main__":
    from ray.scripts.scripts import main

    be_patient()
    sys.argv[0] = "ray"
    main()
