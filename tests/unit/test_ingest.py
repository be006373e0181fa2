"""Catalogue files: every row becomes an item or a line number with a reason."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from app.ingest.items import BadRow, read_items, read_mapping
from core.errors import BowerbirdError
from core.types import Item

MAPPING = 'id = "sku"\n[fields]\ntitle = "name"\n[numbers]\nprice = "cents"\n[scale]\nprice = 0.01\n'


def read(path: Path, mapping: str | None = None) -> tuple[list[Item], list[BadRow]]:
    mapped = None
    if mapping:
        (path.parent / "mapping.toml").write_text(mapping)
        mapped = read_mapping(path.parent / "mapping.toml")
    rows = list(read_items(path, mapped))
    return [row for row in rows if isinstance(row, Item)], [row for row in rows if isinstance(row, BadRow)]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "items.ndjson"
    path.write_text('{"id": "a", "fields": {"title": "A"}}\n\n{"id": "b"\n[1]\n{"fields": {"title": "C"}}\n')
    items, bad = read(path)
    assert [item.id for item in items] == ["a"]
    assert [row.line for row in bad] == [3, 4, 5]
    assert "not JSON" in bad[0].reason
    assert "not a JSON object" in bad[1].reason
    assert "id: Field required" in bad[2].reason


def test_a_mapping_names_scales_and_drops_what_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "items.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8-sig") as file:
        file.write('sku,name,cents\n1,"A lamp,\nwith a line break",1250\n2,Chair,\n3,Sofa,much\n')
    items, bad = read(path, MAPPING)
    assert [(item.id, dict(item.numbers)) for item in items] == [("1", {"price": 12.5}), ("2", {})]
    assert items[0].fields["title"].startswith("A lamp")
    assert [(row.line, "price = 'much' is no number" in row.reason) for row in bad] == [(5, True)]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_figures_are_finite(tmp_path: Path, number: str) -> None:
    path = tmp_path / "items.csv"
    path.write_text(f"sku,name,cents\n1,Lamp,{number}\n")
    items, bad = read(path, MAPPING)
    assert items == []
    assert bad[0].line == 2


def test_bytes_that_are_no_text_cost_only_their_line(tmp_path: Path) -> None:
    path = tmp_path / "items.ndjson"
    path.write_bytes(b'{"id": "a", "fields": {"title": "A"}}\n\xff\xfe\x00\n{"id": "b", "fields": {"title": "B"}}\n')
    items, bad = read(path)
    assert [item.id for item in items] == ["a", "b"]
    assert [row.line for row in bad] == [2]


@pytest.mark.parametrize("name", ["cut.ndjson.gz", "no.csv.gz"])
def test_a_damaged_archive_is_explained(tmp_path: Path, name: str) -> None:
    whole = gzip.compress(b'{"id": "a", "fields": {"title": "A"}}\n' * 1_000)
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) // 2] if name.startswith("cut") else b"sku,name\n1,Lamp\n")
    with pytest.raises(BowerbirdError, match=name):
        read(path, MAPPING if "csv" in name else None)


def test_a_csv_in_another_encoding_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_bytes("sku,name,cents\n1,Stühle,2\n".encode("latin-1"))
    with pytest.raises(BowerbirdError, match="UTF-8"):
        read(path, MAPPING)


@pytest.mark.parametrize("figure", ['"2020"', '"20200131"', '"2020.5"', '"-3600"', "2020", "1.5e9"])
def test_a_figure_is_no_date(tmp_path: Path, figure: str) -> None:
    path = tmp_path / "items.ndjson"
    path.write_text(f'{{"id": "a", "fields": {{"title": "A"}}, "dates": {{"released": {figure}}}}}\n')
    items, bad = read(path)
    assert items == []
    assert "is no date; write it as 2020-01-31" in bad[0].reason


def test_a_mapping_that_fits_no_column_says_so(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("id,name\n1,Lamp\n")
    with pytest.raises(BowerbirdError, match="no column 'sku', which is mapped to the id; there are: id, name"):
        read(path, MAPPING)
    (tmp_path / "items.ndjson").write_text('{"id": 1, "name": "Lamp"}\n{"sku": 2, "name": "Chair"}\n')
    items, bad = read(tmp_path / "items.ndjson", MAPPING)
    assert [item.id for item in items] == ["2"]
    assert bad[0].reason == "no column 'sku', which is mapped to the id; there are: id, name"


def test_columns_are_seen_when_any_row_has_them(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text('attribute_prefix = "attr_"\n' + MAPPING)
    mapped, seen = read_mapping(tmp_path / "mapping.toml"), set[str]()
    path = tmp_path / "items.ndjson"
    path.write_text('{"sku": 1, "name": "Lamp", "attr_colour": "red"}\n{"sku": 2, "name": "Chair", "prize": 3}\n')
    assert len(list(read_items(path, mapped, seen))) == 2
    assert mapped.columns - seen == {"cents"}
    assert mapped.unmapped(seen) == {"prize"}


def test_a_row_with_cells_beyond_the_header_is_refused(tmp_path: Path) -> None:
    """A comma without quotes: all after it would be in the wrong column."""
    path = tmp_path / "items.csv"
    path.write_text("sku,name,cents\n1,Lamp, red,100\n2,Chair,200\n")
    for mapping in (MAPPING, 'attribute_prefix = "a_"\n' + MAPPING):
        items, bad = read(path, mapping)
        assert [item.id for item in items] == ["2"]
        assert [row.line for row in bad] == [2]
        assert "more cells than the header has columns, the first of them '100'; put quotes" in bad[0].reason
