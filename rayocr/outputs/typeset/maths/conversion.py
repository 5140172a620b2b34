r"""Converts LaTeX as models write it ($…$, $$…$$, \(…\), \[…\]) to Typst's mathematics, with an allowlist.

The result consists only of this file's own words, single letters, numbers and string literals, so page text cannot be a command
of the typesetter. For a formula with an unknown part, and for money ("$5 and $10"), the conversion returns None and the text is
shown unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from rayocr.outputs.typeset.literal import literal
from rayocr.outputs.typeset.maths.latex_words import (
    ACCENTS,
    ALPHABETS,
    DELIMITERS,
    ENVIRONMENTS,
    FUNCTIONS,
    IGNORED,
    SPACES,
    SYMBOLS,
)

_MAX_CHARS, _MAX_DEPTH = 3000, 16
_TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_TEXT = re.compile(r"\\(?:text|textrm|textbf|textit|mathrm|operatorname|mbox|begin|end)\*?\s*\{[^{}]*\}")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_WORD = re.compile(r"[a-zA-Z]{2,}")
_SIGNS = re.compile(r"[\\^_=+<>≤≥±×÷∑∫√]")
_NOTHING = '""'
_PLAIN = re.compile(r"[a-zA-Z0-9α-ωΑ-Ω ,.()'!|/*:;\[\]-]{1,60}")
_PRICE = re.compile(r"\d[^ ]*[ ,;:]")
# ASCII characters with a meaning in Typst, and the names of their symbols.
_PUNCTUATION = {
    ",": "comma", ";": "semi", ":": "colon", "/": "slash", "*": "ast", "(": "paren.l", ")": "paren.r", "[": "bracket.l",
    "]": "bracket.r", "<": "lt", ">": "gt", "?": "quest", "+": "+", "-": "-", "=": "eq", "!": "!", "|": "|", ".": ".",
}  # fmt: skip
_TEXTS = frozenset({"text", "textrm", "textnormal", "mathrm", "mbox", "textbf", "textit", "operatorname", "textsf", "mathop"})
_PARTS = {
    "frac": "frac",
    "dfrac": "frac",
    "tfrac": "frac",
    "cfrac": "frac",
    "binom": "binom",
    "dbinom": "binom",
    "tbinom": "binom",
}
_BRACES = {"overbrace": "t", "underbrace": "b"}


def typeset_maths(
    source: str, *, display: bool, block: bool = False, prepare: Callable[[str], str] = lambda text: text
) -> str | None:
    """Returns a Typst statement; None if the text is not a formula or cannot be typeset safely. `display`: large. `block`: on a
    separate line, which Typst ignores inside a paragraph."""
    source = source.strip()
    if not source or len(source) > _MAX_CHARS or not looks_like_maths(source):
        return None
    try:
        body = _Formula(source, prepare).whole()
    except (_Unknown, RecursionError):
        return None
    alternative = literal(" ".join(source.split()))
    if block:
        return f"wide-maths(w,math.equation(block:true,alt:{alternative},$ {body} $));"
    # The space before the end is necessary: otherwise a line end, which is a backslash, would escape the dollar.
    return f"math.equation(block:false,alt:{alternative},{f'$display({body} )$' if display else f'${body} $'});"


def looks_like_maths(source: str) -> bool:
    """Returns whether the text between dollars is a formula, not a price followed by words."""
    bare = _COMMAND.sub(" ", _TEXT.sub(" ", source))
    if "`" in source:
        return False
    if _SIGNS.search(source) is None and not (_PLAIN.fullmatch(source) and not _PRICE.match(source)):
        return False
    words = [word for word in _WORD.findall(bare) if word not in FUNCTIONS]
    if any(len(word) > 3 for word in words):
        return False
    return not words or _SIGNS.search(source) is not None


class _Unknown(Exception):
    """Raised if the formula contains something that is not on the allowlist."""


class _Formula:
    def __init__(self, source: str, prepare: Callable[[str], str]) -> None:
        self._tokens: list[str] = [piece for piece in _TOKEN.findall(source) if not piece.isspace() or "{" in source]
        self._position = 0
        self._depth = 0
        self._prepare = prepare

    def whole(self) -> str:
        body = self._row(until=())
        if self._position < len(self._tokens):
            raise _Unknown
        return body

    # -- rows and their parts -----------------------------------------------------------------------------------------

    def _row(self, until: tuple[str, ...], *, cells: bool = True) -> str:
        """Reads up to one of these tokens, which stays unread. Line ends and alignment marks become Typst's."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Unknown
        parts: list[str] = []
        while (piece := self._peek()) is not None and piece not in until:
            if piece in ("\\\\", "\\newline") and cells:
                self._next()
                parts.append("\\")
            elif piece == "&" and cells:
                self._next()
                parts.append("&")
            else:
                parts.append(self._scripted())
        self._depth -= 1
        return " ".join(part for part in parts if part) or _NOTHING

    def _scripted(self) -> str:
        """Reads one item with its superscript and subscript."""
        piece = self._peek()
        base = _NOTHING if piece in ("^", "_", "'") else self._thing()
        below = above = ""
        primes = 0
        while (piece := self._peek()) in ("^", "_", "'"):
            self._next()
            if piece == "'":
                primes += 1
            elif piece == "^" and not above:
                above = self._argument()
            elif piece == "_" and not below:
                below = self._argument()
            else:
                raise _Unknown  # two of the same kind, which LaTeX rejects, too
        above = " ".join(part for part in ("′ " * primes, above) if part.strip())
        if not (above or below):
            return base
        scripts = [f",t: {above}"] if above else []
        scripts += [f",b: {below}"] if below else []
        return f"attach({base or _NOTHING}{''.join(scripts)})"

    def _thing(self) -> str:
        piece = self._next()
        if piece == "{":
            return self._group()
        if piece.startswith("\\"):
            return self._command(piece)
        if piece.isspace() or piece == "~":
            return ""
        if piece in _PUNCTUATION:
            return _PUNCTUATION[piece]
        if piece.isascii() and piece.isalnum():
            return piece
        if piece[0].isdigit():
            return piece
        if unicodedata.category(piece)[0] == "L" and len(piece) == 1:
            return literal(self._prepare(piece)) if not piece.isascii() else piece
        if unicodedata.category(piece) == "Sm" and piece not in "√∛∜":
            return piece
        if piece in '"%@°…’“”–—·•':
            return literal(self._prepare(piece))
        raise _Unknown

    def _group(self) -> str:
        body = self._row(until=("}",), cells=False)
        self._expect("}")
        return body

    def _argument(self) -> str:
        """Reads the argument of a command or script: a group or a single item."""
        self._skip_blanks()
        return self._thing() or _NOTHING

    # -- commands ---------------------------------------------------------------------------------------------------------------

    def _command(self, piece: str) -> str:
        name = piece[1:].rstrip("*")
        if name in SYMBOLS:
            return SYMBOLS[name]
        if name in FUNCTIONS:
            return name
        if name in SPACES:
            return SPACES[name]
        if name in IGNORED:
            return ""
        if name in _PARTS:
            return f"{_PARTS[name]}({self._argument()},{self._argument()})"
        if name in ACCENTS or name in ALPHABETS:
            return f"{(ACCENTS | ALPHABETS)[name]}({self._argument()})"
        if name in _TEXTS:
            return self._text(name)
        if name == "sqrt":
            index = self._option()
            return f"root({index},{self._argument()})" if index else f"sqrt({self._argument()})"
        if name in _BRACES:
            return self._brace(name)
        if name in ("left", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "middle"):
            return self._between() if name == "left" else self._delimiter()
        if name == "begin":
            return self._environment()
        raise _Unknown

    def _text(self, name: str) -> str:
        """Reads words as a string."""
        self._skip_blanks()
        self._expect("{")
        words: list[str] = []
        while (piece := self._next()) != "}":
            if piece in ("{", "$"):
                raise _Unknown
            words.append(piece[1:] if piece in ("\\%", "\\$", "\\&", "\\_", "\\#", "\\ ", "\\,") else piece)
            if piece.startswith("\\") and words[-1] == piece:
                raise _Unknown
        text = literal(self._prepare("".join(words)))
        return {"textbf": f"bold({text})", "textit": f"italic({text})", "operatorname": f"op({text})"}.get(
            name, f"upright({text})"
        )

    def _option(self) -> str:
        self._skip_blanks()
        if self._peek() != "[":
            return ""
        self._next()
        body = self._row(until=("]",), cells=False)
        self._expect("]")
        return body

    def _brace(self, name: str) -> str:
        body = self._argument()
        if self._peek() == {"t": "^", "b": "_"}[_BRACES[name]]:
            self._next()
            return f"{name}({body},{self._argument()})"
        return f"{name}({body})"

    def _between(self) -> str:
        opening = self._delimiter()
        body = self._row(until=("\\right",), cells=False)
        self._expect("\\right")
        return f"lr({opening} {body} {self._delimiter()})"

    def _delimiter(self) -> str:
        self._skip_blanks()
        piece = self._next()
        if piece not in DELIMITERS:
            raise _Unknown
        return DELIMITERS[piece]

    def _environment(self) -> str:
        name = self._name()
        if name not in ENVIRONMENTS:
            raise _Unknown
        if name == "array":
            self._skip_blanks()
            self._expect("{")
            while self._next() != "}":
                pass
        rows = self._rows()
        if self._name() != name:
            raise _Unknown
        kind = ENVIRONMENTS[name]
        if kind == "aligned":
            return " \\ ".join(" & ".join(cells) for cells in rows)
        if kind == "cases":
            return f"cases({','.join(' & '.join(cells) for cells in rows)})"
        width = max(map(len, rows))
        padded = (cells + [_NOTHING] * (width - len(cells)) for cells in rows)
        return f"mat(delim:{kind},{';'.join(','.join(cells) for cells in padded)})"

    def _rows(self) -> list[list[str]]:
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(self._row(until=("&", "\\\\", "\\end"), cells=False))
            piece = self._next()
            if piece == "\\end":
                if rows[-1] == [_NOTHING] and len(rows) > 1:
                    rows.pop()
                return rows
            if piece == "\\\\":
                self._option()
                rows.append([])

    def _name(self) -> str:
        self._skip_blanks()
        self._expect("{")
        letters: list[str] = []
        while (piece := self._next()) != "}":
            letters.append(piece)
        return "".join(letters).rstrip("*")

    # -- tokens -----------------------------------------------------------------------------------------------------------------

    def _peek(self) -> str | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _next(self) -> str:
        if self._position >= len(self._tokens):
            raise _Unknown
        self._position += 1
        return self._tokens[self._position - 1]

    def _expect(self, piece: str) -> None:
        if self._next() != piece:
            raise _Unknown

    def _skip_blanks(self) -> None:
        while (piece := self._peek()) is not None and piece.isspace():
            self._position += 1
