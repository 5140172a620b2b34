from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown


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
