"""The command line: what it prints, how it refuses, and its exit codes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.text import Text

from app.cli import app as cli
from app.wiring.plans import ARMS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A data directory with the exported encoder and nothing else."""
    made = tmp_path_factory.mktemp("cli")
    (made / "data").mkdir()
    (made / "data" / "cache").symlink_to(cache)
    return made


def bowerbird(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", "--data-dir", "data", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def printed(folder: Path, *arguments: str) -> Any:
    return json.loads(bowerbird(folder, *arguments, "--json").stdout)


@pytest.fixture(scope="module")
def shop(folder: Path) -> Path:
    """A catalogue of lamps and chairs with a mapping, some bad rows, and ratings."""
    rows = ["sku,name,brand,cents,launched"]
    rows += [f"lamp-{n},Desk lamp model {n},Acme,{1000 + n},2009-05-01" for n in range(20)]
    rows += [f"chair-{n},Oak chair number {n},Bolt,{5000 + n},2011-01-01" for n in range(20)]
    rows += [",Without id,Acme,1,2009", "free,No price,Acme,dear,2009", "empty,,,1,2009"]
    with gzip.open(folder / "shop.csv.gz", "wt") as file:
        file.write("\n".join(rows))
    (folder / "shop.toml").write_text(
        'id = "sku"\ntype = "product"\n[fields]\ntitle = "name"\n[attributes]\nbrand = "brand"\n'
        '[numbers]\nprice = "cents"\n[scale]\nprice = 0.01\n[years]\nyear = "launched"\n'
    )
    (folder / "ratings.csv").write_text(
        "query,docid,rating\n" + "\n".join(f"desk lamp,lamp-{n},{3 if n < 5 else 1}" for n in range(20))
        + "\noak chair,chair-1,2\nnothing relevant,chair-2,0\n"
    )  # fmt: skip
    (folder / "heldout.csv").write_text("query,docid,rating\noak chair number 7,chair-7,3\n")
    return folder


def test_ingest_reports_every_bad_row_and_keeps_the_good_ones(shop: Path) -> None:
    report = printed(shop, "ingest", "shop.csv.gz", "--mapping", "shop.toml")
    assert report["stored"] == 40
    assert [row["line"] for row in report["rejected"]] == [42, 43, 44]
    assert "price = 'dear' is no number" in report["rejected"][1]["reason"]
    found = printed(shop, "search", "desk lamp", "--plan", "lexical")
    assert found["hits"][0]["id"].startswith("lamp-")


def test_a_mapping_that_does_not_fit_says_so(folder: Path) -> None:
    fitting = 'id = "sku"\n[fields]\ntitle = "name"\n[numbers]\nprice = "cents"\n'
    (folder / "odd.csv").write_text("sku,name,cents,made\nx,Lamp,100,2020\n")

    def loaded(mapping: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        (folder / "odd.toml").write_text(mapping)
        return bowerbird(folder, "ingest", "odd.csv", "--mapping", "odd.toml", "--json", code=code)

    assert json.loads(loaded(fitting).stdout)["unseen"] == []
    report = json.loads(loaded(fitting.replace("cents", "cnets")).stdout)
    assert (report["unseen"], report["unmapped"]) == (["cnets"], ["cents", "made"])
    said = bowerbird(folder, "ingest", "odd.csv", "--mapping", "odd.toml").stderr
    assert "names columns that no row has: cnets. Columns that it does not use: cents, made." in said
    refused = " ".join(loaded(f"{fitting}[scale]\nprize = 0.01\n", code=1).stderr.split())
    assert "scale names 'prize', which is not mapped; mapped are: price" in refused
    refused = " ".join(loaded(fitting.replace("sku", "skv"), code=1).stderr.split())
    assert "odd.csv has no column 'skv', which is mapped to the id; there are: sku, name, cents, made." in refused
    (row,) = json.loads(loaded(f'{fitting}[dates]\nmade = "made"\n', code=1).stdout)["rejected"]
    assert "'2020' is no date; write it as 2020-01-31" in row["reason"]


def test_a_byte_order_mark_costs_no_item(folder: Path) -> None:
    line = json.dumps({"id": "marked", "fields": {"title": "Marked"}})
    (folder / "marked.ndjson").write_text(line, encoding="utf-8-sig")
    assert printed(folder, "ingest", "marked.ndjson")["stored"] == 1


@pytest.mark.parametrize("verb", ["evaluate policy", "evaluate examination", "quality report", "simulate"])
def test_what_cannot_be_drawn_is_said_first(shop: Path, verb: str) -> None:
    given = ["--qrels", "ratings.csv", "--heldout-qrels", "heldout.csv"] if verb == "simulate" else []
    done = bowerbird(shop, *verb.split(), *given, "--png", "value.xyz", code=2)
    assert "value.xyz cannot be drawn; name a file that ends in .png" in " ".join(done.stderr.replace("│", " ").split())
    done = bowerbird(shop, *verb.split(), *given, "--png", "shop.toml/value.png", code=1)
    assert done.stderr.startswith("not_written: Cannot write shop.toml/value.png: ")


def test_evaluate_in_both_forms_of_ratings(shop: Path) -> None:
    printed(shop, "ingest", "shop.csv.gz", "--mapping", "shop.toml")
    report = printed(shop, "evaluate", "retrieval", "--qrels", "ratings.csv")
    assert report["queries"] == 2
    assert set(report["systems"]) == {*ARMS, "rrf", "fusion", "best_arm", "pipeline"}
    assert 0 < report["union_recall"] <= 1
    assert set(report["systems"]["lexical"]) == {"nDCG@10", "RR", "R@100", "Judged@10"}
    assert report["systems"]["lexical"]["RR"] > report["systems"]["popular"]["RR"]
    assert "2^rating - 1" in report["stated"]
    (shop / "qrels.txt").write_text(
        "\n".join(f"1 0 lamp-{n} {3 if n < 5 else 1}" for n in range(20)) + "\n2 0 chair-1 2\n"
    )
    (shop / "queries.tsv").write_text("1\tdesk lamp\n2\toak chair\n")
    same = printed(shop, "evaluate", "retrieval", "--qrels", "qrels.txt", "--queries", "queries.tsv")
    assert same["systems"]["lexical"] == pytest.approx(report["systems"]["lexical"])
    refused = bowerbird(shop, "evaluate", "retrieval", "--qrels", "qrels.txt", code=1)
    assert "Give --queries FILE" in " ".join(refused.stderr.split())


def test_simulate_learns_and_draws(shop: Path) -> None:
    printed(shop, "ingest", "shop.csv.gz", "--mapping", "shop.toml")
    files = ["--qrels", "ratings.csv", "--heldout-qrels", "heldout.csv", "--png", "curve.png"]
    result = printed(shop, "simulate", *files, "--rounds", "300", "--seed", "2")
    assert [point["round"] for point in result["curve"]] == list(range(30, 301, 30))
    assert result["curve"][-1]["traffic"]["nDCG@10"] >= result["day0"]["traffic"]["nDCG@10"]
    assert all(0 <= share <= 1 for share in result["curve"][-1]["arms"].values())
    assert (shop / "curve.png").read_bytes().startswith(b"\x89PNG")
    again = printed(shop, "simulate", *files, "--rounds", "300", "--seed", "2")
    assert again["curve"][0]["reward"] == result["curve"][0]["reward"]
    leak = ["--qrels", "ratings.csv", "--heldout-qrels", "ratings.csv", "--rounds", "10"]
    assert "held-out queries are in the traffic" in " ".join(bowerbird(shop, "simulate", *leak, code=1).stderr.split())


def test_doctor_says_what_is_missing(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cache").symlink_to(cache)
    findings = {finding["part"]: finding for finding in printed(tmp_path, "doctor")}
    assert "no API keys" in findings["access"]["message"]
    assert findings["catalogue"]["state"] == "waits"
    assert "bowerbird ingest FILE" in findings["catalogue"]["message"]
    assert "no searches are logged" in findings["events"]["message"]
    assert "needs 300 searches with a click, has 0" in findings["ranking"]["message"]
    assert "bowerbird quality build" in findings["quality"]["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ingest", "none.ndjson"], 1, "There is no file none.ndjson"),
        (["policy", "rollback", "7"], 1, "There is no release 7. There are: none."),
        (["ingest"], 2, "Missing argument"),
        (["fly"], 2, "No such command"),
    ],
)
def test_refusals(folder: Path, arguments: list[str], code: int, words: str) -> None:
    assert words in " ".join(bowerbird(folder, *arguments, code=code).stderr.split())


def test_an_unknown_key_is_explained(folder: Path) -> None:
    (folder / "own.toml").write_text("[policy]\ngama = 1.0\n")
    command = [sys.executable, "-m", "app.cli", "--config", "own.toml", "config"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Did you mean 'policy.gamma'?" in " ".join(done.stderr.split())


def test_what_looks_like_markup_is_printed_as_it_is(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cache").symlink_to(cache)
    title = "Love [deluxe edition] [/b] :heart:"
    (tmp_path / "songs.ndjson").write_text(json.dumps({"id": "s", "type": "song", "fields": {"title": title}}))
    assert "There is no file songs[old].csv" in bowerbird(tmp_path, "ingest", "songs[old].csv", code=1).stderr
    bowerbird(tmp_path, "ingest", "songs.ndjson")
    assert title in bowerbird(tmp_path, "search", "love [/b]", "--plan", "lexical").stdout
    bowerbird(tmp_path, "keys", "create", "--name", "[/x]", "--scope", "search")
    assert "[/x]" in bowerbird(tmp_path, "keys", "list").stdout
    assert "`retrieval.plans`" in bowerbird(tmp_path, "policy", "plans", "build", "--help").stdout


def test_help_loses_no_brackets() -> None:
    """Unlike what is printed, it is read as markup."""
    said = [text for command in commands(typer.main.get_command(cli)) for text in helps(command)]
    assert len(said) > 100
    assert [text for text in said if Text.from_markup(text).plain != text] == []


def commands(command: Any) -> Iterator[Any]:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from commands(inner)


def helps(command: Any) -> Iterator[str]:
    yield command.help or ""
    yield from (getattr(parameter, "help", None) or "" for parameter in command.params)


def test_config_prints_every_key(folder: Path) -> None:
    values = printed(folder, "config")
    assert values["policy"]["kind"] == "coverage"
    assert len(values["hash"]) == 12


def test_quality_waits_for_customers_words_and_for_judges(shop: Path) -> None:
    built = printed(shop, "quality", "build")
    assert (built["release"], built["items"], built["pairs"]) == (None, 0, 0)
    assert "No item has a review or a question" in bowerbird(shop, "quality", "build").stdout
    assert "GET /v1/quality/pairs" in bowerbird(shop, "quality", "report").stdout
    assert printed(shop, "quality", "report", "--png", "report.png")["judgments"] == 0
    assert (shop / "report.png").is_file()
