"""Check boxes of scanned forms, found by their pixels on pictures that are drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.boxes.check_boxes import with_check_boxes
from rayocr.engines.rapidocr.splitting.boxes.frames import CheckBox, find_boxes
from rayocr.engines.rapidocr.splitting.boxes.letters import is_letter
from rayocr.engines.rapidocr.splitting.boxes.radio_buttons import Button

HEIGHT = 44  # of a line with its margins; letters have half of it


def drawn(*things: tuple[int, str], turn_deg: float = 0.0) -> Any:
    """A line of 900 pixels. Things: the left side, and a word, or "[ ]", "[x]", "[v]" or "[#]" for a box."""
    image = Image.new("L", (900, HEIGHT), 245)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=28)
    for left, text in things:
        if not text.startswith("["):
            draw.text((left, 6), text, fill=10, font=font)
            continue
        draw.rectangle((left, 11, left + 22, 33), outline=10, width=2, fill=10 if text == "[#]" else None)
        if text == "[x]":
            draw.line((left, 11, left + 22, 33), fill=10, width=2)
            draw.line((left, 33, left + 22, 11), fill=10, width=2)
        if text == "[v]":
            draw.line((left + 5, 22, left + 10, 28, left + 18, 14), fill=10, width=3)
    return np.asarray(image.rotate(turn_deg, fillcolor=245, resample=Image.Resampling.BICUBIC))


def marks(line: Any) -> list[str]:
    return [box.mark for box in find_boxes(line, HEIGHT)]


@pytest.mark.parametrize("turn_deg", [0.0, 0.3, -0.3])
def test_boxes_are_found_with_and_without_a_tick(turn_deg: float) -> None:
    line = drawn((60, "[ ]"), (100, "Car"), (300, "[x]"), (340, "Lorry"), (600, "[v]"), (640, "Other"), turn_deg=turn_deg)
    assert marks(line) == ["[ ]", "[x]", "[x]"]


def test_a_tick_that_sticks_out_of_its_box_is_a_tick() -> None:
    image = Image.fromarray(drawn((60, "[ ]"), (110, "Car")))
    ImageDraw.Draw(image).line((65, 22, 70, 30, 80, 3), fill=10, width=3)
    assert marks(np.asarray(image)) == ["[x]"]


def test_tick_by_hand_beyond_a_corner_is_a_tick() -> None:
    image = Image.fromarray(drawn((60, "[ ]"), (110, "Car")))
    ImageDraw.Draw(image).line((64, 22, 70, 34, 92, 4), fill=10, width=4)
    assert marks(np.asarray(image)) == ["[x]"]


def radio(image: Image.Image, left: int, *, is_chosen: bool) -> None:
    draw = ImageDraw.Draw(image)
    draw.ellipse((left, 11, left + 22, 33), outline=10, width=2)
    if is_chosen:
        draw.ellipse((left + 6, 17, left + 16, 27), fill=10)


def test_radio_buttons_are_marks_and_a_lone_ring_is_a_letter() -> None:
    image = Image.fromarray(drawn((100, "Car"), (240, "Bus")))
    radio(image, 60, is_chosen=False)
    readings = [LineReading("Car", 0.9, 0.5), LineReading("Bus", 0.9, 0.5)]
    quads = np.array([quad(95, 150), quad(235, 300)])
    assert with_check_boxes(np.asarray(image), quads, readings, Recognizer())[1] == readings
    radio(image, 200, is_chosen=True)
    read = with_check_boxes(np.asarray(image), quads, readings, Recognizer())[1]
    assert [reading.text for reading in read] == ["Car", "Bus", "[ ]", "[x]"]


@pytest.mark.parametrize("text", ["O 0 o D Q", "BDEFH 8690", "LITTLE [box] |_|", "qpbd ao ec gs", "are often the best"])
@pytest.mark.parametrize("size", [18, 24, 28, 40])
@pytest.mark.parametrize("stroke", [0, 1])
def test_letters_are_not_boxes(text: str, size: int, stroke: int) -> None:
    image = Image.new("L", (600, 2 * size), 245)
    font = ImageFont.load_default(size=size)
    ImageDraw.Draw(image).text((20, size), text, fill=10, font=font, anchor="lm", stroke_width=stroke)
    line = np.asarray(image)
    found = [box for height in (size, 1.3 * size, 2 * size) for box in find_boxes(line, height)]
    assert [box for box in found if box.button is not Button.EMPTY] == []


def test_bold_letters_that_touch_are_not_a_ticked_box() -> None:
    image = Image.fromarray(drawn((60, "[ ]"), (97, "S from"), (300, "[v]"), (340, "Lorry")))
    draw = ImageDraw.Draw(image)
    draw.line((66, 22, 72, 22), fill=10, width=3)  # an E whose arms touch the P after it
    draw.arc((70, 11, 93, 23), 270, 90, fill=10, width=2)
    assert marks(np.asarray(image)) == ["[x]"]


def test_solid_squares_cells_of_tables_and_places_for_single_letters_are_not_boxes() -> None:
    assert marks(drawn((60, "[#]"), (100, "Point"))) == []
    assert marks(drawn((60, "[ ]"), (82, "[ ]"), (104, "[ ]"), (140, "Code"))) == []
    assert marks(drawn((60, "[ ]"), (88, "[ ]"), (116, "[ ]"), (150, "Code"))) == []


class Recognizer:
    """Reads the next of these texts for each picture."""

    def __init__(self, *texts: str, score: float = 0.99) -> None:
        self.texts, self.score = list(texts), score
        self.widths: list[int] = []

    def __call__(self, lines: Sequence[Any]) -> list[LineReading]:
        self.widths = [line.shape[1] for line in lines]
        assert len(lines) == len(self.texts)
        return [LineReading(text, self.score, self.score) for text in self.texts]


def quad(left: int, right: int) -> Any:
    return np.array([[left, 0], [right, 0], [right, HEIGHT], [left, HEIGHT]], np.float32)


def test_a_line_is_split_at_its_boxes_and_its_parts_are_read_again() -> None:
    line = drawn((100, "Type"), (200, "[ ]"), (240, "Car"), (400, "[x]"), (440, "Lorry"))
    recognize = Recognizer("Type", "Car", "Lorry")
    quads, read = with_check_boxes(line, np.array([quad(90, 560)]), [LineReading("Type Car Lorry", 0.9, 0.5)], recognize)
    assert [reading.text for reading in read] == ["Type", "[ ] Car", "[x] Lorry"]
    assert [round(corners[0][0] / 10) for corners in quads.tolist()] == [9, 20, 40]


def test_a_box_outside_the_detected_line_and_a_box_after_its_word_are_marks() -> None:
    line = drawn((150, "[x]"), (190, "Yes"), (300, "No"), (350, "[ ]"))
    recognize = Recognizer("No")
    readings = [LineReading("Yes", 0.9, 0.5), LineReading("No", 0.9, 0.5)]
    quads, read = with_check_boxes(line, np.array([quad(185, 250), quad(295, 376)]), readings, recognize)
    assert sorted(zip((corners[0][0] for corners in quads.tolist()), (reading.text for reading in read), strict=True)) == [
        (pytest.approx(150, abs=2), "[x]"),
        (185, "Yes"),
        (295, "No"),
        (pytest.approx(350, abs=2), "[ ]"),
    ]


@pytest.mark.parametrize("text", ["Re", ""])
def test_words_in_another_script_stay_apart_from_their_boxes(text: str) -> None:
    line = drawn((100, "[ ]"), (140, "Car"))
    quads, read = with_check_boxes(line, np.array([quad(95, 220)]), [LineReading("R", 0.4, 0.1)], Recognizer(text, score=0.4))
    assert [reading.text for reading in read] == [text, "[ ]"]
    assert len(quads) == 2


def test_chinese_lines_and_lines_without_boxes_are_not_read_again() -> None:
    line = drawn((100, "[ ]"), (140, "Car"), (500, "Lorry"))
    given = [LineReading("口袋里", 0.9, 0.5), LineReading("Lorry", 0.9, 0.5)]
    quads, read = with_check_boxes(line, np.array([quad(95, 220), quad(490, 640)]), given, Recognizer())
    assert read == given
    assert len(quads) == 2


def test_a_square_close_to_letters_of_another_script_is_a_final_mem() -> None:
    line, at = drawn((100, "[ ]"), (126, "Car")), np.array([quad(95, 220)])
    given = [LineReading("UCGL", 0.7, 0.1)]
    assert with_check_boxes(line, at, given, Recognizer())[1] == given
    latin = with_check_boxes(line, at, [LineReading("Car", 0.9, 0.5)], Recognizer("Car"))[1]
    assert [reading.text for reading in latin] == ["[ ] Car"]


@pytest.mark.parametrize("read_as", ["NAME OF EVENT", ""])
def test_a_round_letter_of_coarse_print_that_was_read_is_not_a_box(read_as: str) -> None:
    image = Image.fromarray(drawn((100, "NAME"), (230, "F EVENT")))
    ImageDraw.Draw(image).rounded_rectangle((205, 11, 225, 33), radius=7, outline=10, width=3)
    line = np.asarray(image)
    places = tuple((n + 0.5) / 13 for n in range(13)) if read_as else ()
    reading = LineReading(read_as, 0.98, 0.9, places)
    (box,) = (*find_boxes(line, HEIGHT), CheckBox(205, 11, 21, False))[:1]
    assert is_letter(line, box.left, box.top, box.side, reading, 0) is False  # nothing was read there
    at = tuple(place if n != 5 else (box.left + box.side / 2) / line.shape[1] for n, place in enumerate(places))
    assert is_letter(line, box.left, box.top, box.side, reading._replace(places=at), 0) is bool(read_as)


def test_a_frame_where_a_letter_was_read_is_a_box() -> None:
    line = drawn((60, "[ ]"), (100, "Car"))
    reading = LineReading("D Car", 0.98, 0.9, (71 / 900, 0.1, 0.12, 0.13, 0.15))
    assert not is_letter(line, 60, 11, 23, reading, 0)


@pytest.mark.parametrize(("text", "is_number"), [("6,085.00", True), ("6,085 00", False), ("0", False), ("00 Car", False)])
def test_zeros_of_a_number_that_touch_are_no_frame(text: str, is_number: bool) -> None:
    line = drawn((60, "[x]"), (100, "Car"))
    places = tuple((71 + 10 * (n - text.rindex("0"))) / 900 for n in range(len(text)))
    assert is_letter(line, 60, 11, 23, LineReading(text, 0.98, 0.9, places), 0) is is_number


@pytest.mark.parametrize(
    ("thing", "reading", "expected"), [("[x]", "", "[x]"), ("[ ]", "□", "[ ]"), ("D", "", ""), ("O", "□", "□")]
)
def test_a_box_alone_in_a_cell_is_found_where_the_model_reads_nothing(thing: str, reading: str, expected: str) -> None:
    page = np.vstack([drawn((60, "Clean?"), (600, thing)), drawn((60, "Dry?"))])
    quads = np.array([box(50, 180), box(592, 632), box(50, 150, top=HEIGHT)], np.float32)
    read = [LineReading(text, score, score) for text, score in (("Clean?", 0.99), (reading, 0.4), ("Dry?", 0.99))]
    _, found = with_check_boxes(page, quads, read, lambda pictures: [])
    assert sorted(line.text for line in found) == sorted(["Clean?", expected, "Dry?"])


def box(left: int, right: int, *, top: int = 0) -> list[tuple[int, int]]:
    return [(left, top), (right, top), (right, top + HEIGHT), (left, top + HEIGHT)]
