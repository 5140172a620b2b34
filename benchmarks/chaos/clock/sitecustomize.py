"""Python imports this module at startup if its folder is on PYTHONPATH. It shifts the time of day by the seconds in the file that
RAYOCR_CHAOS_CLOCK names. Monotonic clocks do not change.
"""

import datetime
import mmap
import os
import struct
import time
from typing import Any


def _install(path: str) -> None:
    with open(path, "rb") as file:
        memory = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    real_time, real_datetime = time.time, datetime.datetime

    def jumped_s() -> float:
        seconds: float = struct.unpack("d", memory[:8])[0]
        return seconds

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_datetime)

    class Jumping(real_datetime, metaclass=Meta):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real_datetime.now(tz) + datetime.timedelta(seconds=jumped_s())

    time.time = lambda: real_time() + jumped_s()
    time.time_ns = lambda: int((real_time() + jumped_s()) * 1e9)
    datetime.datetime = Jumping  # type: ignore[misc]


if "RAYOCR_CHAOS_CLOCK" in os.environ:
    _install(os.environ["RAYOCR_CHAOS_CLOCK"])
