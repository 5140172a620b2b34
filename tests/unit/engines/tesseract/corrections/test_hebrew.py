"""`rayocr.engines.tesseract.corrections.hebrew` on lines as Tesseract reads them in David."""

from __future__ import annotations

from rayocr.engines.tesseract.corrections.hebrew import with_final_mems

DAVID = [
    "אתמול בבוקר התאספו הדייגיס על הרציף.",
    "מחיר הכרטיס עלה ל-45 שקלים, אך מספר הנוסעיס לא ירד.",
    "אביה עבד ארבעיס שנה כנהג; חוס המים.",
]


def test_misread_plurals_get_their_final_mem_and_words_with_samekh_keep_it() -> None:
    assert with_final_mems(DAVID) == [
        "אתמול בבוקר התאספו הדייגים על הרציף.",
        "מחיר הכרטיס עלה ל-45 שקלים, אך מספר הנוסעים לא ירד.",
        "אביה עבד ארבעים שנה כנהג; חום המים.",
    ]


def test_a_page_whose_plurals_were_read_is_left_alone() -> None:
    lines = ["ילדים וילדות, הורים ומורים, ספרים ומחברות, עצים ופרחים.", "סוקרטיס ואדוניס ופאריס נולדו ביוון."]
    assert with_final_mems(lines) == lines


def test_the_correction_looks_at_all_lines_together() -> None:
    assert with_final_mems(DAVID[:1]) == DAVID[:1]


def test_a_page_with_nearly_half_of_its_plurals_misread_is_corrected() -> None:
    lines = ["הספריס נדיריס; מגישיס ספרים, ילדים, תלמידים ומורים.", "לדברי המהנדס, דניס לא שילם מכס."]
    assert with_final_mems(lines) == ["הספרים נדירים; מגישים ספרים, ילדים, תלמידים ומורים.", lines[1]]
