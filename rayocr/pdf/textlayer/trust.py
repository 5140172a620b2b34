"""Determines text-layer trust: whether the page's own text is reliable. Takes about one millisecond per page.

Text layers are wrong in three ways: legacy fonts draw Devanagari from Latin code points, converters write Devanagari signs in an
impossible order, and old OCR leaves junk over a scan. The rules count what no language contains. The thresholds come from 12 bad
and many good layers of real documents (project measurements, November 2026: 12 of 12 bad layers found).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rayocr.pdf.textlayer.glyphs.letter_pairs import are_names
from rayocr.pdf.textlayer.reading.shifted_letters import has_shifted_letters

_MIN_CHARS_OVER_SCAN = 80  # with fewer characters, over an image of half the page, the text is a stamp or a page number
_SCAN_SHARE = 0.5
_MAX_BROKEN_CHARS = 0.05
_MAX_ILLEGAL_DEVANAGARI = 0.02
_LATIN_SHARE = 0.6  # share of the letters; above it, the Latin words decide
_MAX_MIXED = 0.15  # share of the words with letters of two scripts; foreign words with suffixes, and formulas, are less frequent
_SCRIPTS = (
    ("\u0530", "\u058f", "Armenian"),
    ("\u0590", "\u05ff", "Hebrew"),
    ("\u0600", "\u06ff", "Arabic"),
    ("\u0700", "\u07ff", "Syriac"),
    ("\u0900", "\u097f", "Devanagari"),
    ("\u0980", "\u0dff", "Indic"),
    ("\u0e00", "\u0eff", "Thai"),
    ("\u1000", "\u109f", "Burmese"),
    ("\u10a0", "\u10ff", "Georgian"),
    ("\u1200", "\u137f", "Ethiopic"),
)
_MIN_TOKENS = 12  # fewer words are not significant
_FEW = 8  # characters; see _judge_few_characters
_DISTINCT = 0.9
_ALL_ACCENTED, _MAX_SIGNS, _MAX_MARKS = 0.7, 0.4, 0.5
_MIN_LETTERS = 24
_VOWEL = re.compile(r"[aeiouyà-öø-ÿāēīōūăěůőű]")
_KNOWN_TOKENS = 20_000  # cache size: most words repeat from earlier pages, and two patterns take a third of the time
_MAX_MOJIBAKE = 0.02
_MIN_VOWELS = 0.20  # share of 100 or more letters: 34 to 53 % in 20 languages; 13 % if glyph numbers replace letters
# Kruti Dev fonts draw the vowel sign a at the letter k. Their texts have 24 to 27 % k, and 25 % signs within words.
_MAX_K, _MAX_SIGNS_WITHIN = 0.12, 0.05
_MIN_LETTERS_FOR_SHARES = 100
_MAX_ACCENTED = 0.5  # Vietnamese has a third of its letters with accents, Cyrillic or Greek misread as Latin-1 nearly all
# Over a scan, an OCR engine's errors may look like words ("toithdrazo", "eoery" for "every"), so impossible tokens are only some
# of the errors. On pages with 92 to 98 % well-formed words, every eighth to twentieth word was wrong; the local engine misread
# one in two hundred. Pages from a good engine have at least 99 %.
_MIN_GOOD_SCAN, _MAX_JUNK_SCAN = 0.985, 0.02
_FORGIVEN = 1  # number of malformed words that are allowed, such as names and abbreviations on a short page
_MIN_GOOD_BORN, _MAX_JUNK_BORN = 0.60, 0.20

_NOT_EUROPEAN = re.compile("[\u0530-\u1fff\uac00-\ud7a3]")
_VIRAMA = "\u094d"
_MATRA = "\u093a\u093b\u093e-\u094c\u094e\u094f\u0955-\u0957\u0962\u0963"
_ILLEGAL_DEVANAGARI = re.compile(
    f"^[{_MATRA}{_VIRAMA}\u0900-\u0903\u093c]"  # a word that starts with a dependent sign
    f"|[{_MATRA}][{_MATRA}]"  # two vowels on one consonant
    f"|{_VIRAMA}[{_MATRA}{_VIRAMA}]"  # a vowel on a consonant that has lost its own
    # A vowel sign on an independent vowel; Marathi writes English a and o as अॅ and अॉ.
    f"|[\u0905-\u0914][\u093e-\u0944\u0946-\u0948\u094a-\u094c{_VIRAMA}]"
)
_ARABIC_WORD = re.compile("[\u0620-\u065f\u066e-\u06d3]{2,}")
_TRIPLED = re.compile("([\u0621-\u063f\u0641-\u064a\u0671-\u06d3])\\1\\1")  # no word repeats a letter three times
_MAX_TRIPLED = 0.03
# The signs of the endings -an, -in and -un; only alef can follow, after -an. Texts with all vowels may lack spaces.
_ENDING_WITHIN = re.compile("\u064b[\u0620-\u0626\u0628-\u0648\u064a]|[\u064c\u064d][\u0620-\u064a]")
_LEAST_WITHIN, _MAX_ENDINGS_WITHIN, _VOWEL_SIGN = 3, 0.1, re.compile("[\u064e-\u0650\u0652]")
# In Nastaliq, words slope and overlap, so boxes show neither the order of the words nor the spaces between them.
_WORD_END, _MIN_ENDS, _MAX_WITHIN = re.compile("[\u06ba\u06d2]"), 6, 0.3
_DEVANAGARI_WORD = re.compile(r"[\u0900-\u097f\u200c\u200d]+")
_JOINERS = re.compile(r"[\u200c\u200d]")  # these characters select a shape and do not separate letters
_TOKEN = re.compile(r"\S+")
_EDGE = "()[]{}<>\"'“”‘’«».,;:!?…-–—*/&%$€£₹#@+=|_•·°§©®™"
# Matches a word, a name, an abbreviation or a number with its punctuation.
_GOOD_LATIN = re.compile(
    r"(?:[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĻŁŃŅŇŐŒŘŚŞŠŢŤŪŮŰŲŹŻŽ]?[a-zà-öø-ÿāăąćčďđēėęěğģīįıķļłńņňőœřśşšťţūůűųźżžß]+|[A-ZÀ-ÖØ-ÞŁŚŠŽĆČ]+)(?:['’.\-/&][A-Za-zÀ-ž]+)*(?:'s|’s|s)?\.?"
    r"|[A-Z][a-z]+[A-Z][a-z]+"
    r"|[A-Za-z]{0,4}[#№]?[\d]+(?:[.,:/\-–x×'’][\d]+)*(?:st|nd|rd|th|s|%|[A-Za-z]{1,3})?"
)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.]+")
_MOJIBAKE = re.compile(r"Ã[\u0080-\u00bf\u0152-\u0192\u02c6-\u2122]|Â[\u0080-\u00bf]|â[\u0080\u20ac]")  # UTF-8 read as Latin-1
_LETTER_BESIDE_SIGN = re.compile(r"[A-Za-zÀ-ÿ][^\w\s'’.\-/&@,:;()]+[A-Za-zÀ-ÿ]")
_SIGN_WITHIN = re.compile(r"[A-Za-z][;=\[\]\"^~`|\\{}?@%][A-Za-z]|[A-Za-z]\.[a-z]+[A-Z]")
_CASE_SALAD = re.compile(r"[a-zà-ÿ][A-ZÀ-Þ].*[a-zà-ÿ][A-ZÀ-Þ]|[a-z]\d[a-z]|[A-Za-z]\d+[A-Za-z]\d")
_RAISED = re.compile(r"(?<=[\w).,])[⁻⁺]?[⁰¹²³⁴-⁹]+(?![A-Za-z])")  # footnotes and exponents
_MEASURE = re.compile(r"[\d.,+\-−±×·/()=<>≤≥%‰°′″£€¥$¼½¾⅓⅔⁰¹²³⁴-⁹⁻⁺]*[A-Za-zµ°]{0,3}")  # numbers with signs and units
_LEGACY_SIGNS = re.compile(r"[¡-¿×÷ƒˆ˜†‡‰‹›]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on a text layer. `kind`: `none` (no text), `bad`, `trusted`, or `partial` (the text is reliable but does not
    cover the whole page). `reason` is one sentence for logs and reports."""

    kind: Literal["none", "bad", "partial", "trusted"]
    reason: str

    @property
    def trusted(self) -> bool:
        return self.kind == "trusted"


def judge(text: str, *, image_share: float, text_share: float | None = None) -> Verdict:
    """Judges the text of a page. `image_share`: share of the page under images, 0..1. `text_share`: share of its height between
    the first and last line of text."""
    chars = {c: times for c, times in Counter(text).items() if not c.isspace()}
    count = sum(chars.values())
    scan = image_share > _SCAN_SHARE
    if not chars:
        return Verdict(kind="none", reason="The page has no text layer.")
    if scan and count < _MIN_CHARS_OVER_SCAN:
        return Verdict(kind="none", reason="A few characters lie over a scan: a stamp or a page number.")
    if scan and text_share is not None and text_share < 0.12:
        return Verdict(kind="none", reason="The text covers only a strip of the scan.")
    broken = sum(times for c, times in chars.items() if _is_broken(c)) / count
    if broken > _MAX_BROKEN_CHARS:
        return Verdict(kind="bad", reason=f"{broken:.0%} of the characters are private-use, control or replacement characters.")
    return (
        _judge_few_characters(chars, count)
        or _judge_scripts(text)
        or _judge_devanagari(text)
        or _judge_arabic(text)
        or _judge_latin(text, chars, scan=scan)
        or Verdict(kind="trusted", reason="The words are plausible.")
    )


def _judge_few_characters(chars: Mapping[str, int], count: int) -> Verdict | None:
    """Detects fonts that draw another script, on pages with too few words for the other rules."""
    letters = {c: times for c, times in chars.items() if c.isalpha()}
    total = sum(letters.values())
    latin = all(c.isascii() or "\u00c0" <= c <= "\u024f" for c in letters)
    accented = sum(times for c, times in letters.items() if not c.isascii())
    repeats = len(letters) < _DISTINCT * total  # a list of the letters of a language does not repeat a letter
    if total >= _FEW and latin and accented > _ALL_ACCENTED * total and repeats:
        return Verdict(kind="bad", reason=f"{accented / total:.0%} of the letters have accents: another script.")
    signs = sum(times for c, times in chars.items() if "\u00a1" <= c <= "\u00bf" and c not in "°·«»§")
    if count >= _FEW and signs > _MAX_SIGNS * count:
        return Verdict(kind="bad", reason=f"{signs / count:.0%} of the characters are signs of Latin-1: another script.")
    marks = sum(times for c, times in chars.items() if "\u2010" <= c <= "\u205f")
    if count >= 2 * _FEW and marks > _MAX_MARKS * count and len(chars) >= _FEW:
        return Verdict(kind="bad", reason=f"{marks / count:.0%} of the characters are punctuation marks: another script.")
    return None


def _is_broken(c: str) -> bool:
    return unicodedata.category(c) in ("Co", "Cn", "Cs", "Cc") or c == "\ufffd"


def _judge_scripts(text: str) -> Verdict | None:
    """Detects words with two scripts, which occur when a font draws one script from the code points of the other or from glyph
    numbers. Also detects Cyrillic letters whose two UTF-8 bytes were decoded as one character, a rare Korean syllable."""
    if not _NOT_EUROPEAN.search(text):
        return None
    korean = [char for char in text if "\uac00" <= char <= "\ud7a3"]
    if len(korean) >= _MIN_LETTERS and all("\ud080" <= char <= "\ud1bf" for char in korean):
        return Verdict(kind="bad", reason="The Korean syllables are Cyrillic letters in the wrong encoding.")
    words = [kinds for word in _TOKEN.findall(text) if (kinds := {kind for char in word if (kind := _script(char))})]
    mixed = sum(len(kinds) > 1 for kinds in words)
    if len(words) >= _MIN_TOKENS and mixed > _MAX_MIXED * len(words):
        return Verdict(kind="bad", reason=f"{mixed / len(words):.0%} of the words have letters of several scripts.")
    return None


def _script(char: str) -> str:
    """Returns the script of a letter, for scripts whose words have no letters of other scripts; empty for all other
    characters."""
    if char.isascii() and char.isalpha():
        return "Latin"
    return next((name for first, last, name in _SCRIPTS if first <= char <= last and char.isalpha()), "")


def _judge_arabic(text: str) -> Verdict | None:
    words = _ARABIC_WORD.findall(text)
    if len(words) < _MIN_TOKENS:
        return None
    tripled = sum(bool(_TRIPLED.search(word)) for word in words) / len(words)
    if tripled > _MAX_TRIPLED:
        return Verdict(kind="bad", reason=f"{tripled:.0%} of the Arabic words repeat a letter: a font that draws other letters.")
    endings = sum(bool(_ENDING_WITHIN.search(word)) for word in words)
    if endings >= max(_LEAST_WITHIN, _MAX_ENDINGS_WITHIN * len(words), len(_VOWEL_SIGN.findall(text)) / 2):
        reason = f"{endings} of {len(words)} Arabic words have signs of an ending inside: a font that draws other letters."
        return Verdict(kind="bad", reason=reason)
    ends = [place for word in words for place in _WORD_END.finditer(word)]
    within = sum(place.end() < len(place.string) for place in ends)
    if len(ends) >= _MIN_ENDS and within > _MAX_WITHIN * len(ends):
        return Verdict(kind="bad", reason=f"{within} of {len(ends)} letters that end a word in Urdu are inside a word: Nastaliq.")
    return None


def _judge_devanagari(text: str) -> Verdict | None:
    words = [word for joined in _DEVANAGARI_WORD.findall(text) if (word := _JOINERS.sub("", joined))]
    if len(words) < 5:
        return None
    illegal = sum(bool(_ILLEGAL_DEVANAGARI.search(word)) for word in words) / len(words)
    if illegal > _MAX_ILLEGAL_DEVANAGARI:
        return Verdict(kind="bad", reason=f"{illegal:.0%} of the Devanagari words have impossible sequences.")
    return None


def _judge_latin(text: str, chars: Mapping[str, int], *, scan: bool) -> Verdict | None:
    letters = {c: times for c, times in chars.items() if c.isalpha()}
    total = sum(letters.values())
    latin = sum(times for c, times in letters.items() if c.isascii() or "LATIN" in unicodedata.name(c, ""))
    if not letters or latin < _LATIN_SHARE * total:
        return None
    foreign = sum(times for c, times in letters.items() if not c.isascii()) / total
    if has_shifted_letters(text):
        return Verdict(kind="bad", reason="The letters are moved in the alphabet: a wrong map of the font.")
    if total >= _MIN_LETTERS and foreign > _MAX_ACCENTED:
        return Verdict(kind="bad", reason=f"{foreign:.0%} of the letters have accents: another script in the wrong encoding.")
    tokens = [token for token in _TOKEN.findall(text) if any(c.isalpha() or _LEGACY_SIGNS.match(c) for c in token)]
    if len(tokens) < _MIN_TOKENS:
        return None
    mojibake = sum(bool(_MOJIBAKE.search(token)) for token in tokens) / len(tokens)
    if mojibake > _MAX_MOJIBAKE:
        return Verdict(kind="bad", reason=f"{mojibake:.0%} of the words are UTF-8 in the wrong encoding.")
    good = sum(_is_good(token) for token in tokens) / len(tokens)
    junk = sum(_is_junk(token) for token in tokens) / len(tokens)
    if not scan and (good < _MIN_GOOD_BORN or junk > _MAX_JUNK_BORN):
        odd = [token for token in tokens if not _is_good(token) or _is_junk(token)]
        if are_names(odd):
            return _judge_letters(letters, tokens)
    least_good, most_junk = (_MIN_GOOD_SCAN, _MAX_JUNK_SCAN) if scan else (_MIN_GOOD_BORN, _MAX_JUNK_BORN)
    if good < least_good and (1 - good) * len(tokens) > _FORGIVEN + 0.5:
        return Verdict(kind="bad", reason=f"Only {good:.0%} of the words are well formed.")
    if junk > most_junk and junk * len(tokens) > _FORGIVEN + 0.5:
        return Verdict(kind="bad", reason=f"{junk:.0%} of the words are junk.")
    return _judge_letters(letters, tokens)


def _judge_letters(letters: Mapping[str, int], tokens: list[str]) -> Verdict | None:
    """Detects fonts that draw another script by their words, which look well formed but occur in no language."""
    vowelless = _vowelless_share(tokens)
    if vowelless > 0.35 and not are_names(tokens):
        return Verdict(kind="bad", reason=f"{vowelless:.0%} of the longer words have no vowel: a font that draws another script.")
    plain: Counter[str] = Counter()
    for letter, times in letters.items():
        plain.update({c: times for c in unicodedata.normalize("NFD", letter.lower()) if c.isalpha()})
    if plain.total() < _MIN_LETTERS_FOR_SHARES:
        return None
    vowels = sum(times for c, times in plain.items() if c in "aeiouyæøœıəơư") / plain.total()
    if vowels < _MIN_VOWELS and not are_names(tokens):
        return Verdict(kind="bad", reason=f"Only {vowels:.0%} of the letters are vowels: a font that draws other letters.")
    signs = sum(bool(_SIGN_WITHIN.search(token)) for token in tokens) / len(tokens)
    if plain["k"] > _MAX_K * plain.total() and signs > _MAX_SIGNS_WITHIN:
        return Verdict(kind="bad", reason="The letters are those of a font that draws Devanagari.")
    return None


def is_word(token: str) -> bool:
    """Returns whether a token of Latin letters, digits and punctuation is well formed."""
    core = token.strip(_EDGE)
    vowels = len(re.findall(r"[aeiouyà-öø-ÿ]", core, re.IGNORECASE))
    sounds = not core.isalpha() or len(core) < 3 or vowels >= max(1.0, _MIN_VOWELS * len(core))
    return sounds and _is_good(token) and not _is_junk(token)


@lru_cache(maxsize=_KNOWN_TOKENS)
def _is_good(token: str) -> bool:
    core = _without_rare_accents(_RAISED.sub("", token).strip(_EDGE))
    if not core or _ADDRESS.fullmatch(core) or _MEASURE.fullmatch(core):
        return True
    return all(_GOOD_LATIN.fullmatch(part.strip(_EDGE)) for part in re.split(r"[/–—,;:()]+|-(?=\w)", core) if part.strip(_EDGE))


def _without_rare_accents(word: str) -> str:
    """Replaces letters beyond Latin-1 with their base letters, for Vietnamese, Romanian and Yoruba."""
    if word.isascii():
        return word
    apart = (unicodedata.normalize("NFD", c) if c > "\u00ff" and c.isalpha() else c for c in word)
    return "".join(c for part in apart for c in part if unicodedata.category(c) != "Mn")


@lru_cache(maxsize=_KNOWN_TOKENS)
def _is_junk(token: str) -> bool:
    core = _RAISED.sub("", token).strip(_EDGE)
    if _ADDRESS.fullmatch(core) or _MEASURE.fullmatch(core):
        return False
    return bool(_LETTER_BESIDE_SIGN.search(core) or _CASE_SALAD.search(core) or _LEGACY_SIGNS.search(core))


def _vowelless_share(tokens: list[str]) -> float:
    """Returns the share of words with four or more lowercase letters that have no vowel. In Latin-script languages nearly every
    word has a vowel."""
    cores = (_without_rare_accents(token.strip(_EDGE)) for token in tokens)
    words = [core for core in cores if core.isalpha() and len(core) >= 4 and core[1:].islower()]
    if len(words) < _MIN_TOKENS:
        return 0.0
    return sum(_VOWEL.search(word.lower()) is None for word in words) / len(words)
