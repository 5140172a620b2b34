from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.counted_steps import steps_of


def column(text: str, x: float, y: float = 100.0, size: float = 16.0) -> LayoutLine:
    return LayoutLine(text=text, x0=x, y0=y, x1=x + size, y1=y + size * len(text))


def level(text: str, x: float, y: float, size: float = 16.0) -> LayoutLine:
    return LayoutLine(text=text, x0=x, y0=y, x1=x + size * len(text), y1=y + size)


def read(*lines: LayoutLine) -> str:
    text = layout_markdown(lines, page_width=595, page_height=842)
    assert not any(line.startswith("|") for line in text.splitlines())
    return "".join(text.split())


def test_columns_are_read_from_the_right_below_their_heading() -> None:
    left_first = [column("四月末まで続きます", 400), column("工事は三月一日に始まり", 430), column("お知らせいたします", 460)]
    text = "水道局からのお知らせお知らせいたします工事は三月一日に始まり四月末まで続きます"
    assert read(*left_first, level("水道局からのお知らせ", 300, 50)) == text
    assert read(level("水道局からのお知らせ", 300, 50), *reversed(left_first)) == text


def test_a_level_line_between_two_stacks_stands_between_them() -> None:
    upper = [column("お知らせいたします", 460), column("工事は三月一日に始まり", 430)]
    lower = [column("四月末まで続きます", 460, 500), column("ご協力をお願いします", 430, 500)]
    assert read(*lower, level("工事の予定", 300, 400), *upper) == (
        "お知らせいたします工事は三月一日に始まり工事の予定四月末まで続きますご協力をお願いします"
    )


def test_two_tiers_of_columns_are_read_one_after_the_other() -> None:
    upper = [column("一二三四五六七八九十", x) for x in (460, 436, 412, 388)]
    lower = [column("甲乙丙丁戊己庚辛壬癸", x, 400) for x in (460, 436, 412, 388)]
    text = read(*(line for pair in zip(lower, upper, strict=True) for line in pair))
    assert text == "一二三四五六七八九十" * 4 + "甲乙丙丁戊己庚辛壬癸" * 4


def test_a_label_along_a_figure_leaves_a_level_page_level() -> None:
    lines = [level("これは横書きの文章であり、左から右へ読む。", 72, 100 + 24 * n, 12) for n in range(6)]
    text = read(*lines, column("水位", 40, 300), column("降水量計測所", 500, 300))
    assert text.startswith("これは横書き")


def paragraphs(*lines: LayoutLine) -> list[str]:
    return [part.replace(" ", "") for part in layout_markdown(lines, page_width=595, page_height=842).split("\n\n")]


FULL = "一二三四五六七八九十百千万"


def test_columns_of_a_paragraph_are_joined_and_a_short_one_ends_it() -> None:
    columns = [column(FULL, 460), column("甲乙丙。", 436), column(FULL, 412), column(FULL[:-1], 388), column("丁戊", 364)]
    assert paragraphs(*columns) == [FULL + "甲乙丙。", FULL + FULL[:-1] + "丁戊"]


def test_an_indented_column_begins_a_paragraph() -> None:
    assert paragraphs(column(FULL, 460), column("子丑寅卯辰巳午未", 436, 116), column(FULL, 412)) == [
        FULL,
        "子丑寅卯辰巳午未",
        FULL,
    ]


def test_short_columns_stay_in_their_place() -> None:
    columns = [
        column("出師表", 500, size=24),
        *(column(text, 460 - 24 * n) for n, text in enumerate([FULL, "甲乙", FULL, "丙丁"])),
    ]
    assert "".join(paragraphs(*reversed(columns))) == "出師表" + FULL + "甲乙" + FULL + "丙丁"


def test_ruby_follows_its_paragraph() -> None:
    ruby = LayoutLine(text="むてっぽう", x0=476, y0=132, x1=483, y1=172)
    assert paragraphs(column(FULL, 460), ruby, column("甲乙。", 436), column(FULL, 390)) == [FULL + "甲乙。", "むてっぽう", FULL]


def test_digits_side_by_side_and_what_follows_them_belong_to_their_column() -> None:
    # 軍手と45リットル: the digits of 45 stand side by side in the column.
    start, end = column("軍手と4", 460), column("リットル", 460, 164)
    digit = LayoutLine(text="5", x0=468, y0=148, x1=476, y1=164)
    assert paragraphs(start, digit, end, column(FULL, 436))[0].startswith("軍手と45リットル")


def test_a_bracket_that_overlaps_the_full_stop_closes_its_column() -> None:
    bracket = LayoutLine(text="」", x0=460, y0=220, x1=473, y1=234)
    assert paragraphs(column("「人を殺します。", 460), bracket, column("「なぜ殺す。」", 436)) == [
        "「人を殺します。」",
        "「なぜ殺す。」",
    ]


def test_a_paragraph_that_fills_its_tier_continues_in_the_next_one() -> None:
    upper = [column(FULL, 460), column("甲乙丙。", 436), column(FULL, 412), column(FULL, 388)]
    lower = [column(FULL, 460, 400), column("丁戊。", 436, 400), column(FULL, 412, 400)]
    assert paragraphs(*upper, *lower) == [FULL + "甲乙丙。", FULL * 3 + "丁戊。", FULL]


def test_tiers_that_touch_are_read_one_after_the_other() -> None:
    upper = [column(FULL[:10], x) for x in (460, 436)]
    lower = [column(FULL[:10], x, 259) for x in (460, 436)]
    upper[1] = LayoutLine(text="軍手と一二三四五六4", x0=436, y0=100, x1=452, y1=261)
    assert "".join(paragraphs(*upper, *lower)) == FULL[:10] + "軍手と一二三四五六4" + FULL[:10] + FULL[:10]


def test_a_page_of_thousands_of_characters_takes_linear_time() -> None:
    def steps(columns: int) -> int:
        lines = [
            LayoutLine(text="日本語文"[row % 4], x0=600.0 - 14 * n, y0=20.0 + 8 * row, x1=604.0 - 14 * n, y1=24.4 + 8 * row)
            for n in range(columns)
            for row in range(60)
        ]
        return steps_of(lambda: layout_markdown(lines, page_width=620, page_height=842), at_most=20_000_000)

    assert steps(20) < 3 * steps(10)
