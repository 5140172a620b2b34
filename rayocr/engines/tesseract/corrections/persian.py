"""Writes Persian with Persian letters: the pack also knows the Arabic and Urdu letters that look alike, but not the small hamza
over a final heh ("صفحهٔ"), for which it reads an Arabic letter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEH_WITH_HAMZA = "\u0647\u0654"
_PERSIAN = {
    "\u064a": "\u06cc",  # yeh
    "\u0649": "\u06cc",
    "\u0643": "\u06a9",  # kaf
    "\u06c1": "\u0647",  # heh
    "\u06be": "\u0647",
    "\u06d5": "\u0647",
    "\u0629": _HEH_WITH_HAMZA,
    "\u06c0": _HEH_WITH_HAMZA,
    "\u06c2": _HEH_WITH_HAMZA,
    "\u06c3": _HEH_WITH_HAMZA,
}
_TO_PERSIAN = str.maketrans(_PERSIAN)
_PERSIAN_YEH, _ARABIC_YEH = "\u06cc", "\u064a"
# Hardly any Persian word ends in a hamza after these letters, and many lines have a comma there.
_HAMZA = re.compile("(?<=[\u0628\u062a-\u0631\u0633-\u063a\u0641-\u0647\u067e\u0686\u06a9\u06af])\u0621(?!\\w)")


def with_persian_letters(texts: Sequence[str]) -> list[str]:
    """Returns the lines of a page. Pages with more Arabic yehs than Persian ones are Arabic and stay unchanged."""
    text = "".join(texts)
    if text.count(_ARABIC_YEH) > text.count(_PERSIAN_YEH):
        return list(texts)
    return [_HAMZA.sub("،", line).translate(_TO_PERSIAN) for line in texts]
