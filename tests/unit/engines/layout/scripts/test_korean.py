"""Korean lines that end within a word, and pages that divide no words."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.scripts.korean import divides_no_words, divides_word


@pytest.mark.parametrize(
    ("before", "after"), [("다리를 고치기", "로 결정했다"), ("주위에는 있으", "며"), ("찾을 수 있습", "니다"), ("때문", "에")]
)
def test_a_line_that_ends_within_a_word(before: str, after: str) -> None:
    assert divides_word(before, after)


@pytest.mark.parametrize(
    ("before", "after"), [("오래된 다리를", "고치기로"), ("아침 아홉 시에", "문을 열고"), ("끝난다.", "다음"), ("USB", "장치를")]
)
def test_a_line_that_ends_with_a_word(before: str, after: str) -> None:
    assert not divides_word(before, after)


WHOLE = [
    "시의회는 겨울이 오기 전에",
    "오래된 다리를 고치기로 했고",
    "도서관은 매일 아침 아홉 시에",
    "문을 열고 저녁에 닫는다",
    "사람이 많다",
]


def test_a_page_whose_lines_all_end_with_a_word_divides_none() -> None:
    assert divides_no_words([WHOLE])
    assert not divides_no_words([[line[:-1] for line in WHOLE]])
    assert not divides_no_words([WHOLE[:2]])


def test_the_words_of_a_paragraph_are_whole() -> None:
    lines = ["모든 지원자는 구월 말까지 신청서를 보내", "야 한다. 비가 온 뒤에 농부들은 밭에서 일", "을 시작했다."]
    boxes = [
        LayoutLine(text=text, x0=50, y0=100 + 20 * row, x1=50 + 10 * len(text), y1=114 + 20 * row, confidence=1.0)
        for row, text in enumerate(lines)
    ]
    assert layout_markdown(boxes, page_width=600, page_height=800) == (
        "모든 지원자는 구월 말까지 신청서를 보내야 한다. 비가 온 뒤에 농부들은 밭에서 일을 시작했다."
    )
