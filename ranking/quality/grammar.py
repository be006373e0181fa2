"""Words of English grammar, which name no attribute, though a category can have more of them (`these`, of trousers).

The closed classes: pronouns, auxiliaries, prepositions, conjunctions, determiners, and adverbs of degree. In other
languages such words are told apart only by how evenly the categories use them.
"""

from __future__ import annotations

from core.text import tokens

_WORDS = """
i me my mine you your yours he him his she her hers it its we us our ours they them their theirs who whom whose this
that these those which what myself itself yourself themselves one ones someone something anything nothing everyone
everything be am is are was were been being have has had having do does did doing done will would shall should can could
may might must ll ve re don didn doesn isn wasn aren weren won wouldn couldn shouldn haven hasn hadn not no nor a an the
some any each every both all few many much more most other another such own same and or but if because as until while
though although since unless than then so just only even also too very really quite rather still yet again ever never
always often almost already well about above across after against along among around at before behind below beneath
beside between beyond by down during except for from in inside into like near of off on onto out outside over past per
through throughout to toward under up upon with within without here there where when why how now
"""
FUNCTION_WORDS = frozenset(tokens(_WORDS))
