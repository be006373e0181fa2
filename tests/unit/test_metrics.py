"""Judged quality, checked against the formulas written out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from core.errors import InvalidInput
from ranking.metrics import answerable, measure, ndcg_by_query, read_judgments

JUDGMENTS = {"lamp": {"a": 3, "b": 1, "c": 0}, "chair": {"d": 2}, "nothing": {"a": 0}}


def test_graded_gains_by_hand() -> None:
    run = {"lamp": ["x", "b", "a", "c"], "chair": ["d"]}
    gained = 1 / math.log2(3) + 7 / math.log2(4)
    ideal = 7 / math.log2(2) + 1 / math.log2(3)
    assert ndcg_by_query(run, JUDGMENTS) == pytest.approx({"lamp": gained / ideal, "chair": 1.0})
    found = measure(run, JUDGMENTS)
    assert found["nDCG@10"] == pytest.approx((gained / ideal + 1) / 2)
    assert found["RR"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["R@100"] == 1.0
    # The share of rated items among the first ten, or among all when there are fewer.
    assert found["Judged@10"] == pytest.approx((3 / 4 + 1) / 2)


def test_a_query_without_an_answer_counts_as_zero_and_one_without_a_relevant_item_not_at_all() -> None:
    assert answerable(JUDGMENTS) == ["lamp", "chair"]
    assert measure({"chair": ["d"], "nothing": ["a"]}, JUDGMENTS)["nDCG@10"] == pytest.approx(1 / 2)


def test_the_order_given_is_the_order_judged() -> None:
    long = [f"x{n}" for n in range(99)]
    assert measure({"lamp": [*long, "a"], "chair": []}, JUDGMENTS)["R@100"] == pytest.approx(1 / 4)
    assert measure({"lamp": [*long, "x", "a"], "chair": []}, JUDGMENTS)["R@100"] == 0.0


def test_ratings_files(tmp_path: Path) -> None:
    csv = tmp_path / "ratings.csv"
    csv.write_text('Query, DocId, Rating\n"lamp, desk",a,3\n"lamp, desk",b,-1\n')
    assert read_judgments(csv) == {"lamp, desk": {"a": 3, "b": 0}}
    csv.write_text("query,docid,rating\nlamp,a,good\n")
    with pytest.raises(InvalidInput, match=r"line 2: rating 'good' is no number"):
        read_judgments(csv)
    qrels, queries = tmp_path / "qrels", tmp_path / "queries"
    queries.write_text("7\tdesk lamp\n")
    qrels.write_text("7 0 a 3\n8 0 a 1\n")
    with pytest.raises(InvalidInput, match=r"line 2: query id '8' is not in the queries file"):
        read_judgments(qrels, queries)
    qrels.write_text("7 0 a\n")
    with pytest.raises(InvalidInput, match=r"line 1: '7 0 a' is not"):
        read_judgments(qrels, queries)
