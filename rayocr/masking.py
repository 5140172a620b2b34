"""Masks secrets: every text that leaves the process for a log, a record, a reply or a terminal goes through `masked`.

Known values (`hide` is told them once a process) go wherever they stand, also as they look inside a URL or JSON; besides, what is
shaped like a key, and the credentials inside of addresses. Errors mask their own messages (`rayocr.errors`), so that nothing that
is made of an error has to remember to.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
_SHORTEST = 6  # characters: shorter ones would mask half of every sentence, and are no secrets
_SECRET_NAME = re.compile(
    r"(?:^|[_-])(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD|CREDENTIAL|AUTHORIZATION|COOKIE)S?(?:[_-]|$)|APIKEY", re.IGNORECASE
)
_NAMES_PLACE = re.compile(r"(?:PATH|FILE|DIR|ID|SOCK)$", re.IGNORECASE)

# Shapes of keys: what each has in it, how it goes on, and whose it is. A text that has none of the beginnings is not searched any
# further: hardly any has, and the search through them all takes 40 times as long.
_SHAPES_BY_BEGINNING = {
    "AIza": r"AIza[\w-]{30,}",  # Google's API keys
    "AQ.": r"AQ\.[\w-]{30,}",  # Google's newer ones
    "ya29.": r"ya29\.[\w.-]{20,}",  # Google's access tokens
    "1//0": r"1//0[\w-]{20,}",  # Google's refresh tokens
    "sk-": r"\bsk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{24,}",  # OpenAI's and those of servers like it; not a file named sk-something
    "sb_": r"\bsb_(?:secret|publishable)_[\w-]{10,}",  # Supabase's
    "sbp_": r"\bsbp_[\w-]{20,}",
    "eyJ": r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}",  # JSON web tokens, Supabase's older keys among them
    "-----BEGIN": r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
}
_SHAPES = re.compile("|".join(_SHAPES_BY_BEGINNING.values()), re.DOTALL)
_IN_ADDRESS = re.compile(r"(\w://)[^/@\s\"'<>]*@")
_IN_QUERY = re.compile(
    r"((?:[?&](?:[\w-]*(?:key|token|secret|signature|credential|assertion)|sig|code|auth)"  # of signed and of sign-in addresses
    r"|\b(?:[\w-]*_)?(?:password|passwd|pwd))=)[^&;,\s\"'#]+",  # these in connection strings, too
    re.IGNORECASE,
)
# A header as a client or a traceback prints it: X-Api-Key: v, 'Authorization': 'Token v', cookie=v.
_IN_HEADER = re.compile(
    r"(\b(?:[\w-]*api-?key|(?:proxy-)?authorization|(?:set-)?cookie)[\"']?\s*[:=]\s*[\"']?(?:[a-z]+\s+(?=[^\s\"']{6}))?)"
    r"(?!(?:bearer|basic|token)\b)[^\s\"',;]{6,}",
    re.IGNORECASE,
)
_HEADERS = ("apikey", "api-key", "authorization", "cookie")
_BEARER = re.compile(r"(\b(?:Bearer|Basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)

# C0 and C1 controls, and what changes the direction of the text around it.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

_known: re.Pattern[str] | None = None
_values: set[str] = set()


def hide(values: Iterable[str | None]) -> None:
    """From now on these are masked in this process, and so are the passwords of those that are addresses. Idempotent."""
    global _known
    for value in values:
        for part in _parts(value or ""):
            if len(part) >= _SHORTEST:
                _values.update({part, quote(part, safe=""), quote_plus(part), json.dumps(part)[1:-1]})
    if _values:
        _known = re.compile("|".join(re.escape(value) for value in sorted(_values, key=len, reverse=True)))


def hide_environment(environment: Mapping[str, str] | None = None) -> None:
    """The values of variables whose names say that they are secret, and the passwords of addresses in any."""
    found = []
    for name, value in (os.environ if environment is None else environment).items():
        if _SECRET_NAME.search(name) and not _NAMES_PLACE.search(name) and not _is_plain(value):
            found.append(value)
        elif "://" in value and "@" in value:
            found += _passwords(value)
    hide(found)


def masked(text: str) -> str:
    """The text without secrets. Costs some microseconds a line."""
    if _known is not None:
        text = _known.sub(MASK, text)
    if "://" in text:
        text = _IN_ADDRESS.sub(rf"\1{MASK}@", text)
    if "=" in text:
        text = _IN_QUERY.sub(rf"\1{MASK}", text)
    if any(beginning in text for beginning in _SHAPES_BY_BEGINNING):
        text = _SHAPES.sub(MASK, text)
    lower = text.lower()
    if any(header in lower for header in _HEADERS):
        text = _IN_HEADER.sub(rf"\1{MASK}", text)
    return _BEARER.sub(rf"\1{MASK}", text) if "bearer" in lower or "basic" in lower else text


def for_terminal(text: str) -> str:
    """The text without secrets and with control characters escaped, so that no name, document or server steers a terminal. Line
    breaks and tabs stay."""
    text = masked(text)
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def masked_data(value: Any, *, name: str = "") -> Any:
    """Of what JSON can hold: as `masked`, and the whole value where its name says that it is secret."""
    if isinstance(value, Mapping):
        return {str(key): masked_data(inner, name=str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked_data(inner, name=name) for inner in value]
    if not isinstance(value, str):
        return value
    return MASK if value and _SECRET_NAME.search(name) and "credentials" not in name else masked(value)


def _is_plain(value: str) -> bool:
    """A number (MAX_TOKENS=100000), or a file (GOOGLE_APPLICATION_CREDENTIALS): masked, it would be missed in every line."""
    return (value.isdigit() and len(value) < 8) or value.startswith(("/", "./", "~")) or value.endswith(".json")


def _parts(value: str) -> list[str]:
    """A secret that is an address is masked in its password alone: where it leads may be told."""
    if "://" in value:
        return _passwords(value)
    return [value.strip()]


def _passwords(address: str) -> list[str]:
    try:
        password = urlsplit(address.strip()).password
    except ValueError:
        return []
    return [password, unquote(password)] if password else []
