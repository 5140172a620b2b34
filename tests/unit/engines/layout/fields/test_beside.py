from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.fields.beside import have_same_labels, is_address, is_postal_address
from tests.unit.engines.layout.pages import column, line

ADDRESS = ["Anna Whitfield", "90 Old Market", "Ashford 72897"]
OTHER_ADDRESS = ["Boris Lindqvist", "Harbour & Sons", "180 Station Road", "Kingsbury 97526"]


def markdown(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


def in_order(text: str, *parts: str) -> bool:
    positions = [text.index(part) for part in parts]
    return positions == sorted(positions)


def test_addresses_side_by_side_are_read_one_after_the_other() -> None:
    lines = column(["Bill to", *ADDRESS], 60, 100) + column(["Ship to", *OTHER_ADDRESS], 300, 100)
    assert in_order(markdown(lines), "Bill to", "Anna", "90 Old", "Ashford", "Ship to", "Boris", "Kingsbury")


def test_an_address_beside_labels_with_values_is_read_first() -> None:
    lines = column(["Account number", "Statement period", "Opening balance", "Closing balance"], 330, 100)
    lines += [line(value, 480, 100 + 14 * n) for n, value in enumerate(["5946 2651", "to 19.09.2010", "2,397.56", "6,160.20"])]
    text = markdown(column(ADDRESS, 60, 100) + lines)
    assert in_order(text, "Anna", "Ashford", "Account number", "Statement", "Closing")
    assert "|" not in text


def test_two_places_for_signatures_are_read_one_after_the_other() -> None:
    left = ["For the Supplier", "Signature:", "Name: Conrad Ferreira", "Date: 12.11.2023"]
    right = ["For the Customer", "Signature:", "Name: Pierre Lindqvist", "Date: 13.08.2023"]
    assert in_order(
        markdown(column(left, 60, 100) + column(right, 300, 100)), "Supplier", "Conrad", "12.11", "Customer", "Pierre"
    )


def test_bands_of_blocks_are_read_one_after_the_other() -> None:
    sender = column(["Meridian Freight GmbH", "130 Bishop Walk", "Riverton 16338"], 60, 60)
    invoice = column(["INVOICE", "Invoice number 78140", "Invoice date 06.08.2013", "Due date 25.02.2018"], 330, 60)
    bill, ship = column(["Bill to", *ADDRESS], 60, 150), column(["Ship to", *OTHER_ADDRESS], 330, 150)
    text = markdown(sender + invoice + bill + ship)
    assert in_order(text, "Meridian", "Riverton", "INVOICE", "Due date", "Bill to", "Ashford", "Ship to", "Kingsbury")


def test_labels_with_values_are_not_an_address() -> None:
    assert not is_address(["Invoice number", "Invoice date", "Due date"])
    assert not is_address(["78140", "06.08.2013", "25.02.2018"])
    assert not is_address(["Name: Anna", "Street: Old Market 9", "Town: Ashford"])
    assert is_address(["Bill to:", *ADDRESS])


def test_a_postal_address_has_a_street_and_a_town() -> None:
    assert is_postal_address(ADDRESS)
    assert is_postal_address(["Castle Hardware", "12 High Street", "London SW1A 1AA"])
    assert is_postal_address(["Firma Brandt", "Hauptstraße 12a", "D-50667 Köln"])
    assert not is_postal_address(["Copper pipe 22 mm", "Door handle", "Ball valve, brass"])


def test_dates_and_models_with_a_year_are_not_towns() -> None:
    assert not is_postal_address(["Rechnungsnr. 30064443", "Rechnungsdatum 7. Mai 2014", "Pos. Menge", "7 1 Small Exchange 2010"])
    assert is_postal_address(["Jane Miller", "12 Mill Lane", "Sydney NSW 2000"])


def test_telephones_and_mail_addresses_do_not_keep_an_address_from_being_one() -> None:
    assert is_postal_address(
        ["Noise Works", "272 Capp St", "San Pablo, California 94110", "+1 650-701-7829", "pay+us@noise.example"]
    )


def test_a_card_in_a_list_of_fields_is_no_street() -> None:
    assert not is_postal_address(["Date paid", "Payment method Visa - 7267", "Noise Works", "272 Capp St"])


def test_fields_beside_each_other_stay_with_their_values() -> None:
    lines = [line("Invoice number 87B37C9-0152", 30, 69), line("Receipt number 2721-5058", 30, 83)]
    lines += [line("Date paid", 30, 96), line("July 19, 2024", 110, 96), line("Payment method Visa - 7267", 30, 110)]
    lines += column(["Noise Works", "272 Capp St", "San Pablo, California 94110", "United States", "+1 650-701-7829"], 30, 138)
    lines += column(["Bill to", "someone@post.example"], 251, 138)
    text = markdown(lines)
    assert in_order(text, "Receipt number", "Date paid July 19, 2024", "Payment method", "272 Capp", "+1 650", "Bill to")


def test_a_label_that_every_row_repeats_does_not_make_blocks_side_by_side() -> None:
    names = ["Region one:", "Region name:", "Region name:", "Region name:"]
    left, right = column(names, 60, 100), column(["Part:", *names[1:]], 250, 100)
    assert not have_same_labels(left, right)
    fields = ["Signed for the seller", "Name:", "Date:"]
    assert have_same_labels(column(fields, 60, 100), column(["Signed for the buyer", *fields[1:]], 300, 100))
