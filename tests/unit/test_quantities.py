"""Figures with units: what is meant by `under 300`, `16gb` or `17 inch`."""

import math

import pytest

from retrievers.structure.quantities import MONEY, YEAR, Quantity, figures, quantities, sole_figure


def asked(text: str) -> list[Quantity]:
    return list(quantities(text, {"port"}.__contains__))


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("under 300", -math.inf, 300, ""),
        ("cheaper than $1,200.50", -math.inf, 1200.5, MONEY),
        ("under 300 laptop", -math.inf, 300, ""),
        ("over 5 megapixel", 5, math.inf, "mp"),
        ("at least 16gb", 16, math.inf, "gb"),
        ("between 100 and 200", 100, 200, ""),
        ("300-500 euro", 300, 500, MONEY),
        ("from 10 to 20 kg", 10, 20, "kg"),
        ("before 1990", -math.inf, 1990, YEAR),
        ("songs 1999", 1999, 1999, YEAR),
    ],
)
def test_ranges(text: str, low: float, high: float, unit: str) -> None:
    (found,) = asked(text)
    assert (found.low, found.high, found.unit) == (low, high, unit)


@pytest.mark.parametrize(
    ("text", "meant", "other", "unit"),
    [('17" tv', 17.3, 19, "inch"), ("17 inch", 17, 15.6, "inch"), ("4 ports hub", 4, 5, "port"), ("16GB", 16, 8, "gb")],
)
def test_a_plain_figure_means_about_that_much(text: str, meant: float, other: float, unit: str) -> None:
    (found,) = asked(text.lower())
    assert found.low <= meant <= found.high
    assert not found.low <= other <= found.high
    assert found.unit == unit


@pytest.mark.parametrize("text", ["tn-2110", "dv7-1211ea", "usb2.0", "ps4", "no figures"])
def test_figures_within_names_are_none(text: str) -> None:
    assert asked(text) == []


def test_a_span_ends_with_the_unit() -> None:
    (found,) = asked("hp laptop under 300 euro black")
    assert "hp laptop under 300 euro black"[found.start : found.end] == "under 300 euro"
    (found,) = asked("under 300 black")
    assert "under 300 black"[found.start : found.end].strip() == "under 300"


def test_what_a_catalogue_text_states() -> None:
    stated = figures('Notebook 43.2 cm (17") 1440 x 900 4 GB, 6 pc(s), 1.600,00')
    assert {(43.2, "cm"), (17.0, "inch"), (4.0, "gb"), (6.0, "pc")} <= stated
    assert sole_figure("17.3 in") == (17.3, "inch")
    assert sole_figure("DDR2 17.3 in") is None
