"""Corrects and judges text read by rapidocr's models: dropped spaces and unsupported scripts. Works on text, not on images.

The models read Latin, Chinese and Japanese. They omit unsupported letters and still report scores above .9. They return only the
spaces and full stops of a Russian line, only the letters without accents of a Greek line, and only the letters with at most one
accent of a Vietnamese line.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

UNKNOWN_SCORE = 0.3  # maximum score of a line in a partly supported script, which another engine should read
_COMMA = re.compile(r"(?<=[^\W\d_A-Z]{2}),(?=[^\W\d_A-Z]{2})")
_FULL_STOP = re.compile(r"(?<=[a-zà-öø-ÿ]{3})\.(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+$|[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+,|A$|I$)")
_NUMBER = re.compile(r"^(\d{1,2}|[¹²³⁴-⁹])(?=[A-Z][a-z]{3})")  # the number of a note or heading: "1Introduction"
UNTICKED_BOX, TICKED_BOX = "[ ]", "[x]"
_EMPTY_BOX, _TICKED_BOX = "□口囗☐▢◻", "冈区凶図囟网☒☑⊠因困"
_BOX = re.compile(rf"(?<!\S)(?:(?P<empty>[{_EMPTY_BOX}])|[{_TICKED_BOX}])\s?(?=[A-Za-zÀ-ÿ])")
_OTHER_CHINESE = re.compile(rf"(?![{_EMPTY_BOX}{_TICKED_BOX}])[\u3040-\u30ff\u3400-\u9fff]")
_CHINESE = re.compile(rf"(?![一ー丨〇二三{_EMPTY_BOX}{_TICKED_BOX}])[\u3040-\u30ff\u3400-\u9fff]")
_FEW_CHINESE = 0.02  # share of the letters and digits
_LONG_ASPECT = 4.0  # width by height; shorter boxes may hold a page number, a bullet, a tick
_LETTERS_AN_ASPECT = 0.25  # in ordinary print: 1.5 to 2.5; letter-spaced: 0.7; Chinese: 0.9
_SIGNS_AN_ASPECT = 0.4
_FEW_LETTERS_AN_ASPECT = 0.8
_LITER = re.compile(  # "mmol/I", "mg/dI", "U/1", but not "10 mg/1 ml"
    r"((?<![A-Za-z])(?:[mnpuµμ]?mol|[kmnpuµμ]?g|[mkI]U|mEq|(?<=\d )U)/[dmcuµμ]?)"
    r"(?:I(?![A-Za-z])|1(?![\w.,/-]|\s?(?:[mcd]?[lL]|[kmµ]?g|h|IE|IU|St|Tab)(?![A-Za-z])))"
    r"|((?<=\d )[hdcmµμ])1(?![\w.,-])"  # "2,5 h1"
)
_PER_MILLE = re.compile(r"(?<=\d)(\s?)%[0oO°](?![\w%])")  # "3,2 %0"
_GIGA_PER_LITER = re.compile(r"(?<![\d.,])10[°º](?=/[Ll](?!\w))")  # "10°/L"
# Two amounts without the space between their columns. Three digits between two commas may be thousands.
_TWO_AMOUNTS = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:\.\d{3})*,\d\d)((?:\d{2,3}|\d(?=\.))(?:\.\d{3})*,\d\d)(?![\w.,])"
    r"|(?<![\w.,])(\d{1,3}(?:,\d{3})*\.\d\d)((?:\d{2,3}|\d(?=,))(?:,\d{3})*\.\d\d)(?![\w.,])"
)
_CURRENCY = re.compile(  # "1,250.00EUR"
    r"(?<=\d[.,]\d\d)(?=(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|INR|JPY|CAD|AUD|BRL)(?![A-Za-z]))"
)
_TIME = re.compile(  # "25/12/20188:13:39 PM", "2023-05-0614:28"
    r"(?<![\w./-])((?:\d{1,2}[/.-]\d{1,2}[/.-](?:20\d\d|19\d\d|\d\d))|\d{4}[/.-]\d\d[/.-]\d\d)"
    r"(?=(?:[01]?\d|2[0-3])(?::[0-5]\d){1,2}(?![\d:]))"
)
_ONE_SIGN = re.compile("°?[\u2103\u2109\u2160-\u217f\u3371-\u33dd]")  # such as ℃, Ⅲ and ㎡, in Chinese print
_RAISED = {"2": "²", "3": "³"}
_ROMAN = re.compile(r"(?<![\w'’])(?=[IVXl]*l)[IVX]{2,}[IVXl]*(?![\w'’])")  # "VIIl"
_LETTER_IN_NUMBER = re.compile(  # "1/28/1o"
    r"(?<![^\s(])(?=[\d.,/-]*o)(?=[o.,/-]*\d)[\do]+(?:[.,/-][\do]+)+(?=[.,;:)%]*(?:\s|$))"
)
_WITH_O = re.compile(r"(?:\d+\.o[/-]?)+|[\do.,/-]*[/-]o")  # "1.o" for first, "3/o"
_LOST_WORD = re.compile(r"\s{2}")
VIETNAMESE = "vie"
_VIETNAMESE = frozenset("ơưđăƠƯĐĂạảấầẩẫậắằẳẵặẹẻẽếềểễệịỉĩọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ")
_LONG_WORD = re.compile(r"[^\W\d_]{5,}")
_VIETNAMESE_SHARE = 0.04  # share of the letters; Croatian, Romanian and Turkish have less (one or two each)
_LEADERS = 0.6  # share of one symbol, for a row of dots or dashes


def with_spaces(text: str) -> str:
    """Restores spaces that the models drop after commas, full stops and numbers, where the text can only be prose, between two
    amounts, between an amount and its currency, and between a date and a time, and signs that they do not know: the letter l of
    liters, ‰, the exponent of cells per liter, the old-style 0, Roman numerals and "°C"."""
    text = _with_plain_letters(text)
    text = _GIGA_PER_LITER.sub(
        "10⁹", _PER_MILLE.sub(r"\1‰", _LITER.sub(lambda found: f"{found[1] or found[2]}l", _NUMBER.sub(r"\1 ", text)))
    )
    text = _TIME.sub(r"\1 ", _CURRENCY.sub(" ", text))
    text = _TWO_AMOUNTS.sub(lambda found: " ".join(filter(None, found.groups())), text)
    return " ".join(_COMMA.sub(", ", word) if "@" not in word and "/" not in word else word for word in _stops(text))


def _with_plain_letters(text: str) -> str:
    if _ONE_SIGN.search(text) and not is_chinese(text):
        text = _ONE_SIGN.sub(_letters_of, text)
    text = _ROMAN.sub(lambda found: found[0].replace("l", "I"), text)
    return _LETTER_IN_NUMBER.sub(_with_zeros, text)


def _with_zeros(found: re.Match[str]) -> str:
    """Returns the number with zeros. Spanish and Portuguese ordinals stay, unless a number is alone or a percentage."""
    number, is_alone = found[0], found.string.strip() == found[0] or found.string[found.end() :][:1] == "%"
    return number if _WITH_O.fullmatch(number) and ("/" in number or "-" in number or not is_alone) else number.replace("o", "0")


def _letters_of(found: re.Match[str]) -> str:
    letters = unicodedata.normalize("NFKC", found[0][-1])
    return letters[:-1] + _RAISED.get(letters[-1], letters[-1])


def with_marks(text: str) -> str:
    """Writes check boxes of a form as `[x]` and `[ ]`. The models read a box beside Latin words as the Chinese character that
    looks like it."""
    if not _BOX.search(text) or is_chinese(text):
        return text
    return _BOX.sub(lambda match: f"{UNTICKED_BOX if match['empty'] else TICKED_BOX} ", text)


def is_box(text: str) -> bool:
    """Returns whether the model read a check box alone, as a sign like it."""
    return text.strip() in (*_EMPTY_BOX, *_TICKED_BOX)


def is_chinese(text: str) -> bool:
    """Returns whether the text has Chinese or Japanese characters that do not look like a check box."""
    return _OTHER_CHINESE.search(text) is not None


def is_mostly_chinese(texts: Iterable[str]) -> bool:
    """Returns whether a page has Chinese or Japanese text. A few characters may be misread signs, and those like dashes,
    rules and boxes do not count, unless the page has nothing else."""
    signs = [char for text in texts for char in text if char.isalnum()]
    chinese = sum(_CHINESE.match(char) is not None for char in signs)
    return chinese > _FEW_CHINESE * len(signs) or not any(char < "\u2e80" for char in signs)


def is_unread(text: str, aspect: float) -> bool:
    """Returns whether almost no text was read in a box that is `aspect` times as long as it is high."""
    if aspect < _LONG_ASPECT:
        return False
    signs = [char for char in text if not char.isspace()]
    if len(signs) > 2 and Counter(signs).most_common(1)[0][1] >= _LEADERS * len(signs) and not signs[0].isalnum():
        return False
    letters = sum(char.isalnum() for char in signs)
    return letters < _LETTERS_AN_ASPECT * aspect and len(signs) < _SIGNS_AN_ASPECT * aspect and 2 * letters <= len(signs)


def loses_words(text: str, aspect: float) -> bool:
    """Returns whether a long line consists of a few numbers or words between blanks, as a Russian line with a number does."""
    letters = sum(char.isalnum() for char in text)
    return aspect >= _LONG_ASPECT and letters < _FEW_LETTERS_AN_ASPECT * aspect and len(_LOST_WORD.findall(text)) > 1


def is_half_known(text: str) -> bool:
    return bool(pack_of_half_known(text))


def is_plain_latin(text: str) -> bool:
    """Returns whether the text is a number or has several letters, none of them outside ASCII. Korean and Arabic syllables can
    look like one or two Latin letters."""
    signs = [char for char in text if char.isalnum()]
    return all(char.isascii() for char in signs) and (len(signs) > 2 or (bool(signs) and all(map(str.isdigit, signs))))


def pack_of_half_known(text: str) -> str:
    """Returns Tesseract's pack for running text in Greek or Vietnamese, whose accented letters the models partly omit; "" for
    other text and for formulas."""
    letters = [char for char in text if char.isalpha()]
    greek = sum("\u0370" <= char <= "\u03ff" for char in letters)
    if (greek >= 6 and greek > 0.4 * len(letters)) or any(map(_mixes_greek, _LONG_WORD.findall(text))):
        return "ell"
    vietnamese = [char.lower() for char in letters if char in _VIETNAMESE]
    is_several = len(vietnamese) >= 3 and len(set(vietnamese)) > 1  # a Romanian line has several ă
    return VIETNAMESE if is_several and len(vietnamese) > _VIETNAMESE_SHARE * len(letters) else ""


def _mixes_greek(word: str) -> bool:
    """Returns whether a word has two Greek and two Latin letters, and so is no formula: the models read "Σύνολο" as "Σúvoλo"."""
    greek = sum("\u0370" <= char <= "\u03ff" for char in word)
    return greek >= 2 and sum("a" <= char <= "ÿ" for char in word) >= 2


def pack_of_page(texts: Iterable[str]) -> str:
    """Returns the pack for a page of short lines in Vietnamese, none of which has enough letters to detect it; "" for other
    pages. Romanian and Croatian have only one of these letters."""
    letters = [char for text in texts for char in text if char.isalpha()]
    vietnamese = [char for char in letters if char in _VIETNAMESE]
    is_several = len(set(map(str.lower, vietnamese))) >= 3
    return VIETNAMESE if is_several and len(vietnamese) > _VIETNAMESE_SHARE * len(letters) else ""


def weighted_mean(scores: Iterable[tuple[float, float]]) -> float | None:
    """Returns the mean of (score, weight) pairs, weighted by length so that a smudge does not lower a page's confidence. Returns
    None if there are no pairs."""
    pairs = list(scores)
    total = sum(weight for _, weight in pairs)
    return sum(score * weight for score, weight in pairs) / total if total else None


def _stops(text: str) -> list[str]:
    return [_FULL_STOP.sub(". ", word) if word.count(".") == 1 else word for word in text.split(" ")]
