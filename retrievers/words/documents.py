"""What the lexical arm's index holds of an item."""

from __future__ import annotations

import tantivy

from core.filters import facets
from core.types import Item
from retrievers.document import labels, prose_tokens, voices
from retrievers.words.analyser import Analyser
from retrievers.words.facets import key

_HALF_POPULARITY = 0.5


def schema() -> tantivy.Schema:
    """The fields. Texts come analysed, in `tokens` with a blank between."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    builder.add_text_field("number", tokenizer_name="raw")  # the names of the item's numbers
    # By the names' keys, because catalogues differ in the names they have.
    for name in ("values", "numbers"):
        builder.add_json_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in ("prose", "labels", "voices"):
        builder.add_text_field(name, tokenizer_name="tokens")
    builder.add_float_field("popularity", fast=True)
    return builder.build()


def document(item: Item, analyser: Analyser, weight: float) -> tantivy.Document:
    """A word is in one field: the prose, else the labels, else the voices. `weight`: by how much, at most, popularity
    raises the score."""
    made = tantivy.Document()
    made.add_text("id", item.id)
    known = set[str]()
    for name, tokens in (
        ("prose", prose_tokens(item, analyser.tokens)),
        ("labels", analyser.tokens(labels(item))),
        ("voices", analyser.tokens(voices(item))),
    ):
        made.add_text(name, " ".join([token for token in tokens if token not in known]))
        known.update(tokens)
    if popularity := max(0.0, item.numbers.get("popularity", 0.0)):
        # tantivy multiplies scores by log2(2 + value).
        made.add_float("popularity", 2 ** (1 + weight * popularity / (popularity + _HALF_POPULARITY)) - 2)
    values: dict[str, list[str]] = {}
    for name, value in facets(item):
        values.setdefault(key(name), []).append(value)
    made.add_json("values", values)
    for name in item.numbers:
        made.add_text("number", name)
    if item.numbers:
        # 0 is added because tantivy puts -0 below 0.
        made.add_json("numbers", {key(name): figure + 0.0 for name, figure in item.numbers.items()})
    return made
