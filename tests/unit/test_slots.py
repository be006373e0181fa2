"""Numbers for keys, and rows of different lengths by number."""

from __future__ import annotations

import numpy as np

from ranking.features.ragged import Ragged
from ranking.features.slots import UNKNOWN, Slots
from ranking.features.vocabulary import Vocabulary


def given(slots: Slots, key: str) -> int:
    number = slots.reserve()
    slots.publish(key, number)
    return number


def test_a_number_is_given_again_when_it_has_rested() -> None:
    tired, quick = Slots(rest_s=60.0), Slots(rest_s=0.0)
    for slots in (tired, quick):
        first = given(slots, "a")
        slots.drop(["a", "never there"])
        assert slots.get("a") == UNKNOWN
        assert slots.settle() == ([first] if slots is quick else [])
    assert given(tired, "b") != 0
    assert given(quick, "c") == 0
    assert quick.look_up(["a", "c", "x"]).tolist() == [UNKNOWN, 0, UNKNOWN]
    assert (len(quick), quick.used.tolist(), tired.used.tolist()) == (1, [0], [1])


def test_a_changed_key_has_a_new_number_and_the_old_one_only_until_it_is_published() -> None:
    slots = Slots()
    old = given(slots, "a")
    new = slots.reserve()
    assert slots.get("a") == old != new
    slots.publish("a", new)
    assert (slots.get("a"), slots.used.tolist()) == (new, [new])


def test_a_word_goes_with_the_last_that_uses_it() -> None:
    words = Vocabulary()
    desk, lamp = words.add(["desk", "lamp"]).tolist()
    words.add(["lamp"])
    words.drop(np.array([desk, lamp], dtype=np.int32))
    assert (words.get("desk"), words.get("lamp"), len(words)) == (UNKNOWN, lamp, 1)
    words.drop(np.array([lamp, lamp], dtype=np.int32)[:1])
    assert len(words) == 0


def test_rows_are_what_was_put_while_others_come_and_go() -> None:
    random = np.random.default_rng(1)
    rows, kept = Ragged(np.int32, np.uint16), {}
    for change in range(300):
        lengths = random.integers(0, 40, size=5)
        numbers = random.integers(0, 1_000, size=int(lengths.sum()))
        slots = [change * 5 + n for n in range(5)]
        rows.put(slots, lengths, numbers, numbers % 7)
        for slot, part in zip(slots, np.split(numbers, np.cumsum(lengths)[:-1]), strict=True):
            kept[slot] = part.tolist()
        gone = [slot for slot in slots if slot % 3]
        for slot in gone:
            del kept[slot]
        rows.drop(gone)
    asked = random.permutation(sorted(kept))
    flat = rows.flat(asked)
    assert [part.tolist() for part in np.split(flat.parts[0][flat.at], flat.ends[:-1])] == [kept[n] for n in asked]
    sevens = flat.parts[1][flat.at] == 0
    assert flat.sums(sevens).tolist() == [sum(number % 7 == 0 for number in kept[n]) for n in asked]
    for some in ([gone[0], asked[0], gone[1], gone[0]], gone[:2], []):  # what is gone has no entries
        flat = rows.flat(np.array(some, dtype=np.intp))
        assert flat.sums(np.ones(len(flat.at), dtype=bool)).tolist() == [len(kept.get(n, [])) for n in some]
    flat = rows.flat(asked)
    entries = np.arange(len(flat.at))
    assert np.bincount(flat.rows(entries), minlength=len(asked)).tolist() == [len(kept[n]) for n in asked]
