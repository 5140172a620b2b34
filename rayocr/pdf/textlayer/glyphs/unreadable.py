"""Finds text whose characters are unknown, because its font has no usable map to Unicode.

PDFium then returns the code of the glyph in the file as if it were a character. In some fonts, such as those of TeX, that is the
right letter. In others it is a different letter, a control character or nothing: "Total 4,250" becomes "7RWDO".
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.glyphs.encodings.other_script import in_another_script
from rayocr.pdf.textlayer.glyphs.wrong_digits import visible_objects, with_wrong_digits
from rayocr.pdf.textlayer.glyphs.wrong_ligatures import with_ligatures_as_spaces, with_wrong_ligatures
from rayocr.pdf.textlayer.outlines.dashes import with_dashes
from rayocr.pdf.textlayer.rendered_text import address_of, font_at

_STRIDE = 3  # only every third character is checked
_LEAST = 3  # characters in a row, all different; fewer may be bullets, brackets of formulas or icons
_WORDS = 0.5  # share of such rows that look like words if the guesses are right
_WIDEST, _TALLEST_PT = 3.0, 150.0  # largest width of a letter, in letter heights, and largest height in points
_LONGEST_WORD = 40
_HOLE, _JOINS = 0.15, frozenset(",.-/:'")  # minimum width of an unknown character, in letter heights; signs within numbers
_LETTER_SHARE, _WHOLE_BOX = 0.3, 0.99  # share of its box that a letter fills, and that the box of a replaced text fills
_SIGNED_NUMBER = re.compile(r" {1,2}\d[\d' ]{0,12}(?P<fraction>[.,]\d)?[\d.,]{0,12}")  # after a sign and a space
_SAME_WIDTH = 1.02
_FLAT_LETTERS = frozenset(map(ord, "一ーㄧㅡ"))  # letters that are a single level stroke
_ODD = 0.1  # share of characters in such fonts that are not letters
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_TOKEN = re.compile(r"\S{5,}")
_WORD = re.compile("[^\\s\u0e00-\u0eff\u1780-\u17ff\u2e80-\ud7ff\uf900-\uffef]+")  # scripts without spaces have no such words
# Number of different signs, and their share of a token and of a font's text.
_LEAST_SIGNS, _TOKEN_SHARE, _FONT_SHARE = 4, 0.5, 0.4
_ADOBE_SMALL = re.compile("[\uf721-\uf77a\uf7a1-\uf7ff]")  # small capitals and old-style digits in the fonts of Adobe
_SYMBOL = ("\uf020", "\uf07e")  # codes of a font that is marked as a symbol font
_BRACKET_PIECES = 0xF8E5  # codes from this one on are pieces of large brackets
_LETTER_IN_NUMBER = re.compile(r"(?<![^\s(+$€£-])[OlI]{0,3}\d[\d.,]{0,20}[OlI]{1,9}[\d.,OlI]{0,20}\d[OlI]{0,3}(?!\w)")
_ONE_LETTER = re.compile(r"([^\W\d_])\1{5,}")
_RETURN = re.compile(r"\r(?!\n)")  # PDFium ends its lines with both; a return alone is the code of a glyph
_LETTERS_FOR_DIGITS = re.compile(r"(?<!\w)[OlIS\d]{1,9}(?:[.,][OlIS\d]{1,9}){0,6}(?!\w)")
_WIDTHLESS = frozenset((0x200B, 0x2060, 0xFEFF))  # names of characters that draw nothing
_CONTROLS = frozenset(range(1, 0x20)) - {0x02, 0x09, 0x0A, 0x0D}  # 2 is PDFium's hyphen at the end of a line


def drop_unreadable(text_page: Any, codes: list[int], rectangles: Any, is_word: Callable[[str], bool]) -> frozenset[int]:
    """Sets the codes of unreadable characters to 0 and corrects those with another meaning, in place. Returns the addresses of
    the raw text objects that contain unreadable characters. `rectangles`: the boxes of the characters, (n, 4), in user space.
    `is_word`: whether a token is well formed. Takes 0.3 ms for a page without any."""
    _replace_private(codes)
    with_dashes(text_page, codes, rectangles)
    text = "".join(map(chr, codes))
    suspects = _suspects(text_page, codes, text)
    whole = _drawings(text_page, codes, rectangles) | _in_order_of_use(text_page, text)
    whole |= _with_holes(text_page, codes, suspects, rectangles) | with_wrong_digits(text_page, codes, rectangles)
    whole |= _with_letters_in_numbers(text_page, text) | with_wrong_ligatures(text_page, text, rectangles)
    whole |= _with_one_letter(text_page, text)
    whole |= with_ligatures_as_spaces(text_page, text, rectangles) | in_another_script(text_page, text)
    if not suspects and not whole:
        return frozenset()
    runs: dict[int, list[list[int]]] = {}  # sequences of consecutive characters, by font
    fonts: dict[int, int] = {}  # font of each object
    previous, font_before = -2, 0
    for n in suspects:
        item = pdfium.FPDFText_GetTextObject(text_page, n)
        if not item:
            continue
        address = address_of(item)
        font = fonts[address] = fonts.get(address) or address_of(pdfium.FPDFTextObj_GetFont(item))
        if n == previous + 1 and font == font_before:
            runs[font][-1].append(n)
        else:
            runs.setdefault(font, []).append([n])
        previous, font_before = n, font
    illegible = {font for font, own in runs.items() if not _is_legible(text_page, own, codes, is_word)}
    dropped = whole.union(address for address, font in fonts.items() if font in illegible)
    if dropped:
        dropped = _drop_words(text_page, codes, text, dropped)
    for font in set(runs).difference(illegible):
        for n in (n for run in runs[font] if len(run) >= _LEAST for n in run):
            codes[n] = ord(_guess(codes[n]))
    return dropped


def _drop_words(text_page: Any, codes: list[int], text: str, dropped: frozenset[int]) -> frozenset[int]:
    """Sets the codes of dropped objects to 0, in place, and those of their words, which may be several objects: half a number is
    another number. Returns the addresses of all these objects."""
    objects = [address_of(pdfium.FPDFText_GetTextObject(text_page, n)) for n in range(len(codes))]
    found: set[int] = set()
    for match in _WORD.finditer(text):
        own = set(objects[match.start() : match.end()])
        if len(own) > 1 and not own.isdisjoint(dropped):
            found |= own
    dropped = dropped.union(address for address in found if address)
    for n, address in enumerate(objects):
        if address in dropped:
            codes[n] = 0
    return dropped


def _suspects(text_page: Any, codes: Sequence[int], text: str) -> list[int]:
    """Returns the characters without a known meaning, in order."""
    has_error = pdfium.FPDFText_HasUnicodeMapError
    odd = {code for code in set(codes) if code == 0xFFFD or 0xE000 <= code < _BRACKET_PIECES or code in _CONTROLS}
    found = {n for n, code in enumerate(codes) if code in odd} if odd else set()
    found.update(match.start() for match in _RETURN.finditer(text))
    if any(has_error(text_page, n) == 1 for n in range(0, len(codes), _STRIDE)):
        found.update(n for n in range(len(codes)) if has_error(text_page, n) == 1)
    return sorted(found)


def _drawings(text_page: Any, codes: Sequence[int], rectangles: Any) -> frozenset[int]:
    """Returns the addresses of text objects with letters or digits that draw whole words or pages: glyphs of Type 3 fonts."""
    left, top, right, bottom = rectangles.T
    large = np.flatnonzero(_is_large(right - left, top - bottom))
    found = set()
    for n in large.tolist():
        if (
            chr(codes[n]).isalnum()
            and codes[n] not in _FLAT_LETTERS
            and _draws_large(text_page, n)
            and (item := pdfium.FPDFText_GetTextObject(text_page, n))
        ):
            font, size = pdfium.FPDFTextObj_GetFont(item), ctypes.c_size_t()
            if pdfium.FPDFFont_GetIsEmbedded(font) == 1 and not (pdfium.FPDFFont_GetFontData(font, None, 0, size) and size.value):
                found.add(address_of(item))
    return frozenset(found)


def _is_large(width: Any, height: Any) -> Any:
    return (np.abs(width) > _WIDEST * np.abs(height)) | (np.abs(height) > _TALLEST_PT)


def _draws_large(text_page: Any, index: int) -> bool:
    """Returns whether the glyph itself is large, and not only the box that its font declares."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    known = pdfium.FPDFText_GetCharBox(text_page, index, left, right, bottom, top)
    return bool(known) and bool(_is_large(right.value - left.value, top.value - bottom.value))


def _is_legible(text_page: Any, runs: Iterable[Sequence[int]], codes: Sequence[int], is_word: Callable[[str], bool]) -> bool:
    rows = []
    for run in runs:
        text = "".join(_guess(codes[n]) for n in run)
        if len(text) >= _LEAST and (len(set(text)) >= _LEAST or _have_different_widths(text_page, run)):
            rows.append(text)
    if not rows:
        return True  # single signs
    joined = "".join(rows)
    odd = sum(not char.isprintable() or char == "\ufffd" or "\ue000" <= char <= "\uf8ff" for char in joined)
    words = [word.lstrip("\\") for row in rows for word in row.split() if len(word) >= _LEAST]
    return odd <= _ODD * len(joined) and sum(map(is_word, words)) >= _WORDS * len(words)


def _with_holes(text_page: Any, codes: Sequence[int], suspects: Sequence[int], rectangles: Any) -> frozenset[int]:
    """Returns the addresses of text objects in which single unknown characters stand within or after words and numbers, like the
    5 in 4,250."""
    left, top, right, bottom = rectangles.T
    has_room = np.abs(right - left) > _HOLE * np.abs(top - bottom)
    wide = [n for n, code in enumerate(codes) if code == 0 and has_room[n]]
    unknown = {*suspects, *(n for n in wide if pdfium.FPDFText_GetUnicode(text_page, n) == 0)}  # not half of a surrogate pair
    step = np.abs(np.diff(left, append=left[-1:]))
    unknown |= {n for n, code in enumerate(codes) if code in _WIDTHLESS and has_room[n] and 2 * step[n] > abs(right[n] - left[n])}
    text = "".join(map(chr, codes)) if unknown else ""
    found: set[int] = set()
    odd = {n for n in unknown if not text[n].isprintable() or text[n] == "\ufffd"}  # the others may be letters of a legible font
    for n in odd:
        if text[n - 1 : n].isspace() and (number := _number_after(text, n)) is not None:
            found |= visible_objects(text_page, number)
    for n in unknown:
        others = odd if n in odd else unknown
        before, after = (text[m] if 0 <= m < len(text) and m not in others else " " for m in (n - 1, n + 1))
        within = before.isalnum() or (before in _JOINS and text[n - 2 : n - 1].isdigit())
        begins = after.isdigit() or (after.isalpha() and text[n] == "\ufffd")
        is_sign = begins and (before.isspace() or before in "([") and codes[n] != 0  # it may be a minus, or the first letter
        is_drawn = codes[n] == 0 and before.isalpha() != after.isalpha() and _draws_letter(text_page, n, rectangles)
        is_sign |= is_drawn and after.isalpha()
        ends = text[n] == "\ufffd" or before.isdigit() or before in _JOINS or is_drawn
        if is_sign or (within and (ends or after.isalnum() or after in _JOINS)):
            item, other = (pdfium.FPDFText_GetTextObject(text_page, m) for m in (n, n + 1 if is_sign else n - 1))
            is_same = item and other and address_of(item) == address_of(other)
            is_alone = is_sign and after.isdigit()  # the minus may be in a font of formulas
            if is_same or (item and other and _touch(text_page, n, n + 1 if is_sign else n - 1, rectangles, is_alone)):
                found |= visible_objects(text_page, _word_around(text, n, unknown))
    return frozenset(found)


def _draws_letter(text_page: Any, n: int, rectangles: Any) -> bool:
    """Returns whether the n-th character shows something as high as a lowercase letter, unlike a space or a mark."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    if not pdfium.FPDFText_GetCharBox(text_page, n, left, right, bottom, top):
        return False
    x0, y1, x1, y0 = rectangles[n].tolist()
    shares = (right.value - left.value) / max(abs(x1 - x0), 0.1), (top.value - bottom.value) / max(abs(y1 - y0), 0.1)
    return min(shares) > _LETTER_SHARE and min(shares) < _WHOLE_BOX


def _number_after(text: str, n: int) -> range | None:
    """Returns the indexes of a sign that stands alone and of the number after it, as in 12.5 ± 0.5 or € 4.20; None for any other
    sign."""
    match = _SIGNED_NUMBER.match(text, n + 1)
    if match is None:
        return None
    before = text[max(0, n - 2) : n].strip(" ")
    is_between = before.isdigit() and not text[:n].endswith("\n")
    return range(n, match.end()) if is_between or match.group("fraction") else None


def _word_around(text: str, n: int, unknown: Collection[int]) -> range:
    """Returns the indexes of the word that contains the n-th character."""
    first, last = n, n
    while first > max(0, n - _LONGEST_WORD) and (first - 1 in unknown or not text[first - 1].isspace()):
        first -= 1
    while last + 1 < min(len(text), n + _LONGEST_WORD) and (last + 1 in unknown or not text[last + 1].isspace()):
        last += 1
    return range(first, last + 1)


def _touch(text_page: Any, n: int, m: int, rectangles: Any, in_any_font: bool) -> bool:
    """Returns whether two characters, of one font or `in_any_font`, are beside each other. Browsers write every letter as an
    object."""
    (left, top, right, bottom), (x0, y0, x1, y1) = rectangles[n].tolist(), rectangles[m].tolist()
    near = _HOLE * max(abs(top - bottom), abs(right - left))
    is_beside = max(left, right, x0, x1) - min(left, right, x0, x1) < abs(right - left) + abs(x1 - x0) + near
    is_level = abs(top - y0) < near and abs(bottom - y1) < near
    return is_beside and is_level and (in_any_font or font_at(text_page, n) == font_at(text_page, m))


def _with_letters_in_numbers(text_page: Any, text: str) -> frozenset[int]:
    """Returns the addresses of text objects with letters in place of digits: 4,25O.75."""
    places = [match.start() for match in _LETTER_IN_NUMBER.finditer(text)]
    fonts = {font_at(text_page, n) for n in places}
    others = (match.start() for match in _LETTERS_FOR_DIGITS.finditer(text)) if places else ()
    return visible_objects(text_page, [*places, *(n for n in others if font_at(text_page, n) in fonts)])


def _with_one_letter(text_page: Any, text: str) -> frozenset[int]:
    """Returns the addresses of text objects whose font maps different glyphs to one letter, so that a word is XXXXXXX."""
    runs = (range(*match.span()) for match in _ONE_LETTER.finditer(text))
    return visible_objects(text_page, (n for run in runs if _have_different_widths(text_page, run) for n in run))


def _in_order_of_use(text_page: Any, text: str) -> frozenset[int]:
    """Returns the addresses of text objects in fonts whose glyphs are numbered from ! in the order of their use, as some programs
    write them. Half of the characters in such fonts are punctuation. Hardly any are lowercase letters, because their codes follow
    64 others."""
    tokens = [match for match in _TOKEN.finditer(text) if _is_punctuation(match.group(), _TOKEN_SHARE)]
    fonts = {font_at(text_page, match.start()) for match in tokens}
    fonts.discard(0)
    if not fonts:
        return frozenset()
    items: dict[int, set[int]] = {}
    texts: dict[int, str] = {}
    for n, char in enumerate(text):
        item = None if char.isspace() else pdfium.FPDFText_GetTextObject(text_page, n)
        if item and (font := address_of(pdfium.FPDFTextObj_GetFont(item))) in fonts:
            items.setdefault(font, set()).add(address_of(item))
            texts[font] = texts.get(font, "") + char
    found = (font for font in fonts if _is_punctuation(texts[font], _FONT_SHARE))
    few = (font for font in found if sum(char.islower() for char in texts[font]) <= _ODD * len(texts[font]))
    return frozenset(address for font in few for address in items[font])


def _is_punctuation(text: str, share: float) -> bool:
    signs = _PUNCTUATION.findall(text)
    return len(set(signs)) >= _LEAST_SIGNS and len(signs) >= share * len(text)


def _have_different_widths(text_page: Any, run: Sequence[int]) -> bool:
    """Returns whether equal characters are drawn by different glyphs, unlike those of a row of dots."""
    box = pdfium.FS_RECTF()
    widths = []
    for n in run:
        if pdfium.FPDFText_GetLooseCharBox(text_page, n, box):
            widths.append(abs((box.right - box.left) * (box.top - box.bottom)))
    return bool(widths) and max(widths) > _SAME_WIDTH * min(widths)


def _guess(code: int) -> str:
    char = chr(code)
    return chr(code - 0xF000) if _SYMBOL[0] <= char <= _SYMBOL[1] else char


def _replace_private(codes: list[int]) -> None:
    if any(0xF721 <= code <= 0xF7FF for code in set(codes)):
        codes[:] = [ord(chr(code - 0xF700).upper()) if _ADOBE_SMALL.match(chr(code)) else code for code in codes]
