"""Masks secrets: all text for logs, records, replies and terminals passes through `masked`. `masked` hides known values
(registered once per process with `hide`), also in their URL-encoded and JSON-escaped forms, text in the form of a key, and
credentials in URLs. Errors mask their own messages (`rayocr.errors`), so that code that formats an error need not mask it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "***"
_SHORTEST = 6  # number of characters; shorter values are not secrets, and masking them would make text unreadable
_SECRET_NAME = re.compile(
    r"(?:^|[_-])(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD|CREDENTIAL|AUTHORIZATION|COOKIE)S?(?:[_-]|$)|APIKEY", re.IGNORECASE
)
_NAMES_PLACE = re.compile(r"(?:PATH|FILE|DIR|ID|SOCK)$", re.IGNORECASE)

# Key formats: a literal prefix, the pattern of the rest, and the owner. Text without any of the prefixes is not searched further,
# since few texts have one and the full search takes 40 times as long.
_SHAPES_BY_BEGINNING = {
    "AIza": r"AIza[\w-]{30,}",  # Google's API keys
    "AQ.": r"AQ\.[\w-]{30,}",  # Google's newer API keys
    "ya29.": r"ya29\.[\w.-]{20,}",  # Google's access tokens
    "1//0": r"1//0[\w-]{20,}",  # Google's refresh tokens
    # OpenAI's and similar keys, but not a file named sk-something.
    "sk-": r"\bsk-(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Z])[\w-]{24,}",
    "hf_": r"\bhf_[A-Za-z0-9]{20,200}",  # Hugging Face's tokens
    "ghp_": r"\bghp_\w{20,200}",  # GitHub's tokens
    "sb_": r"\bsb_(?:secret|publishable)_[\w-]{10,}",  # Supabase's
    "sbp_": r"\bsbp_[\w-]{20,}",
    "eyJ": r"\beyJ[\w-]{8,8000}\.[\w-]{8,8000}\.[\w-]{4,}",  # JSON web tokens, including Supabase's older keys
    "-----BEGIN": r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
}
_SHAPES = re.compile("|".join(_SHAPES_BY_BEGINNING.values()), re.DOTALL)
_IN_ADDRESS = re.compile(r"(\w://)[^/@\s\"'<>]*@")
_IN_QUERY = re.compile(
    r"((?:[?&](?:[\w-]{0,60}(?:key|token|secret|signature|credential|assertion)|sig|code|auth)"  # in signed and sign-in URLs
    r"|\b(?:[\w-]{0,60}_)?(?:password|passwd|pwd))=)[^&;,\s\"'#]+",  # these also occur in connection strings
    re.IGNORECASE,
)
# Matches a header as a client or a traceback prints it: X-Api-Key: v, 'Authorization': 'Token v', cookie=v.
_IN_HEADER = re.compile(
    r"(\b(?:[\w-]{0,60}api-?key|(?:proxy-)?authorization|(?:set-)?cookie)[\"']?\s*[:=]\s*[\"']?(?:[a-z]+\s+(?=[^\s\"']{6}))?)"
    r"(?!(?:bearer|basic|token)\b)[^\s\"',;]{6,}",
    re.IGNORECASE,
)
# A digest or signature has several parts, up to the end of the line.
_IN_PARTS = re.compile(r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:digest|oauth|hawk|aws4-[\w-]{1,40})\s)[^\n]+", re.IGNORECASE)
# api_key=v, "access_token": "v", password: v. Numbers (fencing_token: 17) and short words (password: required) are not secrets.
_ASSIGNED = re.compile(
    r"(?<![a-z])((?:api[_-]?key|access[_-]?key|private[_-]?key|secret(?:[_-]?key)?|token|password|passwd|pwd)"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?)(?!\d+(?![\w-]))(?=[^\s\"',;}]{0,200}\d|[^\s\"',;}]{16})[^\s\"',;}&#]{6,}",
    re.IGNORECASE,
)
_NAMES = ("_key", "apikey", "api-key", "secret", 'token"', "token'", "token=", "token:", "passw", "pwd")  # but not input_tokens
_HEADERS = ("apikey", "api-key", "authorization", "cookie")
_BEARER = re.compile(r"(\b(?:Bearer|Basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)

# C0 and C1 controls, and characters that change the text direction.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

_known: re.Pattern[str] | None = None
_values: set[str] = set()


def hide(values: Iterable[str | None]) -> None:
    """Registers values to mask in this process, and the passwords of values that are URLs. Idempotent."""
    global _known
    for value in values:
        for part in _parts(value or ""):
            if len(part) >= _SHORTEST:
                _values.update({part, quote(part, safe=""), quote_plus(part), json.dumps(part)[1:-1]})
    if _values:
        _known = re.compile("|".join(re.escape(value) for value in sorted(_values, key=len, reverse=True)))


def hide_environment(environment: Mapping[str, str] | None = None) -> None:
    """Hides the values of variables with names of secrets, and the passwords of URLs in any variable."""
    found = []
    for name, value in (os.environ if environment is None else environment).items():
        if _SECRET_NAME.search(name) and not _NAMES_PLACE.search(name) and not _is_plain(value):
            found.append(value)
        elif "://" in value and "@" in value:
            found += _passwords(value)
    hide(found)


def masked(text: str) -> str:
    """Returns the text without secrets. Takes a few microseconds per line."""
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
        text = _IN_PARTS.sub(rf"\1{MASK}", text)
        text = _IN_HEADER.sub(rf"\1{MASK}", text)
    if any(name in lower for name in _NAMES):
        text = _ASSIGNED.sub(rf"\1{MASK}", text)
    return _BEARER.sub(rf"\1{MASK}", text) if "bearer" in lower or "basic" in lower else text


def for_terminal(text: str) -> str:
    """Returns the text without secrets and with escaped control characters, so that no name, document or server can control a
    terminal. Keeps line breaks and tabs."""
    text = masked(text)
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def masked_data(value: Any, *, name: str = "") -> Any:
    """Applies `masked` to JSON values, and masks the whole value if its name is that of a secret."""
    if isinstance(value, Mapping):
        return {str(key): masked_data(inner, name=str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked_data(inner, name=name) for inner in value]
    if not isinstance(value, str):
        return value
    return MASK if value and _SECRET_NAME.search(name) and "credentials" not in name else masked(value)


def _is_plain(value: str) -> bool:
    """Returns whether the value is a number (MAX_TOKENS=100000) or a file (GOOGLE_APPLICATION_CREDENTIALS). If such values were
    masked, useful text would be missing in every line."""
    return (value.isdigit() and len(value) < 8) or value.startswith(("/", "./", "~")) or value.endswith(".json")


def _parts(value: str) -> list[str]:
    """Returns the parts of a secret to mask. If the secret is a URL, only its password is masked, since the host is not
    secret."""
    if "://" in value:
        return _passwords(value)
    return [value.strip()]


def _passwords(address: str) -> list[str]:
    try:
        password = urlsplit(address.strip()).password
    except ValueError:
        return []
    return [password, unquote(password)] if password else []
