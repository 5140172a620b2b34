"""Translates the errors of Redis into rayocr's, for locks and shared limits. rayocr.errors.next_steps has the hints. Scripts
report errors of their commands, for which the SDK has no class, so their text is compared.
"""

from __future__ import annotations

import re
from typing import Any

from rayocr.errors import CredentialsError, RayocrError, UsageError
from rayocr.errors.next_steps import next_step
from rayocr.redis_url import address_of

_SCRIPT_TAIL = re.compile(r",? ?(?:script: [0-9a-f]{40}|on @user_script).*$", re.DOTALL)
_READ_ONLY = ("READONLY", "MISCONF", "OOM", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "LOADING", "BUSY", "TRYAGAIN")


def is_failover(error: BaseException) -> bool:
    """Returns whether the server became a replica. Pooled connections stay connected to such a server until they are closed."""
    from redis.exceptions import ReadOnlyError

    return isinstance(error, ReadOnlyError) or "READONLY" in str(error)


def translated(error: BaseException, client: Any, unavailable: type[RayocrError]) -> RayocrError:
    """Translates an error. `unavailable`: the class for errors that a retry may solve."""
    import redis

    address, words, said = address_of(client), words_of(error), str(error)
    hint = next_step("redis", said=f"{words} {said}")
    code = str(getattr(error, "status_code", None) or words.split(" ")[0])
    if code in _READ_ONLY:
        return unavailable(f"Redis at {address} refuses writes: {words}.", hint=hint)
    refusals = (redis.AuthenticationError, redis.exceptions.NoPermissionError)
    # The asyncio client reports a refused password as a ConnectionError.
    if isinstance(error, refusals) or isinstance(error.__cause__, refusals) or "ACL failure" in said or "NOPERM" in said:
        return CredentialsError(f"Redis at {address} refuses access: {words}.", hint=hint or next_step("redis", said="NOAUTH"))
    if isinstance(error, redis.exceptions.MovedError | redis.exceptions.AskError) or "MOVED" in said or "CROSSSLOT" in said:
        return UsageError(
            f"Redis at {address} is a node of a Redis Cluster and does not hold our keys: {words}.",
            hint=hint or next_step("redis", said="MOVED"),
        )
    if re.search(r"unknown (?:redis )?command|command is not allowed from script", said, re.IGNORECASE):
        return UsageError(f"Redis at {address} lacks a command: {words}.", hint=hint)
    return unavailable(f"Redis at {address} is unavailable: {words}.", hint=hint or next_step("redis", said="unavailable"))


def words_of(error: BaseException) -> str:
    """Returns Redis' own message with its code, without the additions of the script engine."""
    lines = _SCRIPT_TAIL.sub("", str(error)).strip().splitlines()
    words = lines[0].rstrip(".,")[:400] if lines else type(error).__name__
    code = getattr(error, "status_code", None)
    return f"{code} {words}" if code and not words.startswith(str(code)) else words
