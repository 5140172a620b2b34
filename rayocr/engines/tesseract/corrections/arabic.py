"""Restores commas that Tesseract's Arabic pack reads as a hamza, a quotation mark or a Latin comma at the end of a word, the
hamza over a final alef that it reads as two strokes, letters in the names of months, and Persian letters in Arabic words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

# After these letters, hardly any word ends in a hamza.
_HAMZA = re.compile(r"(?<![\u0621-\u064a])(?P<word>[\u0621-\u064a]+[\u0622-\u0626\u0628-\u0647])\u0621(?![\u0621-\u064a])")
_STEMS = "جز عب بد دف كف مل مر بط بر در نش رز خب وط كل فج"
_WORDS = frozenset(_STEMS.split())  # words that end in a hamza, listed without the hamza
_PREFIX = re.compile("[وف]?(?:[بكل]?ال|لل|[بكل])?")
_QUOTES = re.compile("[«»]")
_LATIN_MARK = re.compile(r"(?<=[\u0621-\u064a])[,;?](?!\S)")
_ARABIC_MARKS = {",": "،", ";": "؛", "?": "؟"}
# Words that end in an alef and cannot end in a hamza: after a number, "45 دينارا،" was read as "45 ديناراء".
_IN_ALEF = """
    دينارا درهما ريالا دولارا جنيها فرنكا روبلا مترا كيلومترا سنتيمترا غراما كيلوغراما طنا لترا يوما أسبوعا شهرا عاما قرنا
    شخصا طالبا كتابا فصلا بندا عضوا منزلا أيضا فعلا حاليا سنويا يوميا شهريا أخيرا غالبا دائما تقريبا عموما خصوصا كثيرا قليلا
"""
_ALEF_HAMZA = re.compile(rf"(?<!\w)(?P<word>[وفبلك]?(?:{'|'.join(_IN_ALEF.split())}))\u0621(?!\w)")
_FINAL_HAMZA = re.compile(
    r"(?<!\w)(?P<word>[وف]?س?[يتن]?(?:بد|قر|لج|نش)|[وف]?[بلك]?(?:ال)?(?:مبد|ملج|مرف|منش|مطف))\u0627\u064b(?!\w)"
)
# In some fonts the loop of a joined heh and the tooth of a beh are read as other letters. "شبر" (a span) has no end, and no month
# follows it.
_MONTHS = "يناير فبراير مارس أبريل إبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"
_MONTH_IN_BER = re.compile(r"(?<!\w)(?P<month>[وفبل]?(?:سبتم|أكتو|نوفم|ديسم))ير(?!\w)")
_END_OF_MONTH = re.compile(r"(?<!\w)(?P<before>[وف]?[بل]?(?:نهاية|بداية|مطلع|منتصف|أوائل|أواخر) )ش[بي]ر(?!\w)")
_NAMED_MONTH = re.compile(rf"(?<!\w)(?P<before>[وفبل]?)ش[بي]ر(?= (?:{'|'.join(_MONTHS.split())})(?!\w))")
# Persian and Urdu forms that look like the Arabic letters in most places of a word, and letters that Arabic does not have.
_FORMS = {"\u06cc": "ي", "\u06a9": "ك", "\u06c1": "ه", "\u06be": "ه"}
_OTHER_LANGUAGE = frozenset("پچژگٹڈڑںے")
_MOST_FORMS, _MOST_OTHER = 0.1, 0.01  # share of the Arabic letters that they replace, and of all letters
_IN_ALEF_MAQSURA = """علی إلی حتی لدی متی مدی سوی أخری الأخری أولی الأولی کبری الکبری مستوی المستوی معنی المعنی مبنی المبنی مستشفی
    المستشفی منتدی المنتدی موسی عیسی یحیی"""
_MAQSURA = re.compile(rf"(?<!\w)(?P<word>[وف]?(?:{'|'.join(_IN_ALEF_MAQSURA.split())}))(?!\w)")
_AFTER_LETTER = re.compile(r"[\u0621-\u064a]$")


def with_commas(texts: Sequence[str]) -> list[str]:
    """Returns the lines of a page with corrected commas. `texts` are in reading order."""
    is_open = False
    corrected = []
    for text in texts:
        parts, end = [], 0
        for found in _QUOTES.finditer(text):
            before = text[end : found.start()]
            is_comma = found.group() == "»" and not is_open and _AFTER_LETTER.search(before) is not None
            parts += [before, "،" if is_comma else found.group()]
            is_open, end = found.group() == "«", found.end()
        text = _LATIN_MARK.sub(lambda mark: _ARABIC_MARKS[mark.group()], "".join(parts) + text[end:])
        text = _MONTH_IN_BER.sub(r"\g<month>بر", text)
        text = _NAMED_MONTH.sub(r"\g<before>شهر", _END_OF_MONTH.sub(r"\g<before>شهر", text))
        text = _FINAL_HAMZA.sub(r"\g<word>أ", _ALEF_HAMZA.sub(r"\g<word>،", text))
        corrected.append(_HAMZA.sub(_with_comma, text))
    return corrected


def with_arabic_letters(texts: Sequence[str]) -> list[str]:
    """Returns the lines of a page with Arabic letters in place of a few Persian ones. Pages with more of these are in Persian or
    Urdu and stay as they are."""
    counts = Counter("".join(texts))
    forms, own = sum(counts[form] for form in _FORMS), sum(counts[letter] for letter in set(_FORMS.values()))
    letters = sum(count for char, count in counts.items() if char.isalpha())
    other = sum(counts[letter] for letter in _OTHER_LANGUAGE)
    if not forms or forms > _MOST_FORMS * own or other > _MOST_OTHER * letters:
        return list(texts)
    table = str.maketrans(_FORMS)
    return [_MAQSURA.sub(lambda found: f"{found['word'][:-1]}ى", text).translate(table) for text in texts]


def _with_comma(found: re.Match[str]) -> str:
    word = found["word"]
    prefix = _PREFIX.match(word)
    assert prefix is not None
    is_word = any(word[start:] in _WORDS for start in range(prefix.end() + 1))
    return found.group() if is_word else f"{word}،"
