"""Agreement of two readings: the same page in any order, another page, a translation, numbers."""

from __future__ import annotations

import random

import pytest

from rayocr.engines.answers.agreement import measure, script_of_most, share_found

PAGE = """The keeper wrote that every lantern of the harbour had been cleaned before the ferry came in on the 14th of June 2025.
Sixteen sledges carried wool and bread over the frozen sound, and the schoolmaster counted 1,204 loaves for 87 houses.
In the evening the wind dropped, and from the northern pier one could hear children singing beside the explana-
tory boards of the museum. Tickets 3021 to 3388 were sold; 4410 and 4411 were not."""
OTHER = """Shareholders resolved that dividends of the second quarter remain payable within thirty days unless auditors object.
The committee approved ledgers from seventeen subsidiaries and recommended invoices be examined under applicable clauses.
Hence the parties agreed upon jurisdiction, and revenue was distributed between 5512 holders of 9901 certificates by 2019."""
HINDI = """महाराष्ट्र शासन के राजस्व विभाग द्वारा दिनांक १४ जून २०२५ को जारी आदेश क्रमांक ४४१२ के अनुसार सभी तहसीलदार अपने क्षेत्र में १२०४
किसानों को मुआवजा देने की कार्यवाही ३०२१ रुपये प्रति हेक्टेयर की दर से ८७ गांवों में पूरी करें तथा प्रतिवेदन ३३८८ प्रस्तुत करें।"""
ENGLISH_OF_HINDI = """According to order 4412 issued by the Revenue Department on 14 June 2025, all tahsildars shall
complete payment to 1204 farmers at 3021 rupees per hectare in 87 villages and submit report 3388."""


def test_a_faithful_reading_agrees() -> None:
    markdown = "# Harbour\n\n" + PAGE.replace("explana-\ntory", "explanatory").replace("keeper", "**keeper**")
    agreement = measure(markdown, PAGE)
    assert (agreement.value() or 0) > 0.95
    assert not agreement.low(0.6)


def test_order_does_not_matter() -> None:
    words = PAGE.replace("explana-\ntory", "explanatory").split()
    random.Random(1).shuffle(words)
    assert (measure(" ".join(words), PAGE).value() or 0) > 0.95


def test_a_table_agrees_with_the_loose_words_of_its_cells() -> None:
    rows = [(f"village number{n}", f"{1000 + n}", f"owner{n} patil") for n in range(20)]
    table = "| village | area | owner |\n|---|---|---|\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)
    columns = "\n".join(["village area owner", *(cell for column in zip(*rows, strict=True) for cell in column)])
    agreement = measure(table, columns)
    assert agreement.value() == 1.0
    assert agreement.numbers == 1.0


@pytest.mark.parametrize("invented", [OTHER, f"{PAGE}\n{OTHER}\n{OTHER}", PAGE[:150] + OTHER])
def test_text_that_was_made_up_does_not_agree(invented: str) -> None:
    assert measure(invented, PAGE).low(0.6)


def test_most_of_a_page_left_out_does_not_agree() -> None:
    assert measure(PAGE[:220], f"{PAGE}\n{OTHER}").low(0.6)


def test_a_reading_with_errors_of_an_old_scanner_agrees_enough() -> None:
    chosen = random.Random(3)
    noisy = "".join(chosen.choice("rnlIcu") if c.isalpha() and chosen.random() < 0.02 else c for c in PAGE)
    assert not measure(PAGE, noisy).low(0.6)


def test_altered_numbers_are_seen_although_the_words_agree() -> None:
    numbers = " ".join(str(1000 + 37 * n) for n in range(30))
    altered = " ".join(str(5003 + 41 * n) for n in range(30))
    agreement = measure(f"{PAGE} {altered}", f"{PAGE} {numbers}")
    assert (agreement.value() or 0) > 0.9
    assert agreement.low(0.6)


def test_a_translation_is_judged_by_its_numbers_alone() -> None:
    honest = measure(ENGLISH_OF_HINDI, HINDI)
    assert honest.numbers == 1.0, "digits of all scripts are the same numbers"
    assert not honest.low(0.6, translated=True)
    assert honest.low(0.6), "a transcription with this agreement would be suspect"
    made_up = ENGLISH_OF_HINDI.translate(str.maketrans("0123456789", "5938201746"))
    assert measure(made_up, HINDI).low(0.6, translated=True)


def test_devanagari_words_stay_whole() -> None:
    agreement = measure(HINDI, HINDI.replace("राजस्व", "राजस्वी"))
    assert 0.9 < (agreement.value() or 0) < 1.0


def test_languages_without_blanks_are_compared_by_pairs_of_characters() -> None:
    chinese = "人人生而自由在尊严和权利上一律平等他们赋有理性和良心并应以兄弟关系的精神相对待"
    assert measure(chinese, chinese[20:] + "。" + chinese[:20]).value() is not None
    assert not measure(chinese, chinese[20:] + chinese[:20]).low(0.6)
    assert measure(chinese, "本公司第二季度营业收入经审计委员会批准后三十日内支付股息给全体股东并报送有关部门备案").low(0.6)


def test_of_a_part_of_a_page_it_is_asked_whether_the_answer_has_it() -> None:
    more = measure(f"{PAGE}\n{OTHER}\n{OTHER}", PAGE)
    assert more.low(0.6)
    assert not more.of_a_part().low(0.6)
    assert measure(f"{OTHER}\n{OTHER}", PAGE).of_a_part().low(0.6)


def test_too_few_words_say_nothing() -> None:
    assert measure("Chapter One", "Something else").value() is None
    assert not measure("Chapter One", "Something else").low(0.6)
    assert share_found(["Two words"], PAGE) is None


def test_the_script_of_most_letters_is_named() -> None:
    assert (script_of_most(PAGE), script_of_most(HINDI), script_of_most("12 %")) == ("LATIN", "DEVANAGARI", "")
