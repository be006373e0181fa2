"""GET /v1/quality/pairs and POST /v1/quality/judgments."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.schemas.items import QuestionBody, ReviewBody
from app.schemas.parts import Id, model
from core.types import Item
from feedback.judgments import Judgment, Pair

_MOST_VOICES = 10
_ITEM = {
    "item_id": "dress:1",
    "seller": {"title": "Wrap dress", "description": "A timeless classic."},
    "reviews": [{"text": "The zipper broke.", "rating": 2}],
    "questions": [{"text": "Is it lined?", "answers": ["No."]}],
}
_PAIR = {
    "pair_id": "1f3a5c7e9b0d2f4a6c8e",
    "query": "summer dress",
    "category": "dress",
    "items": [_ITEM, {**_ITEM, "item_id": "dress:2"}],
    "terms": [{"term": "zipper", "sources": ["review"]}],
}


class OfferedTerm(BaseModel):
    """A term that may explain a judgment, and who mentions it."""

    model_config = model(_PAIR["terms"][0])  # type: ignore[arg-type]

    term: str
    sources: list[Literal["seller", "review", "question"]]


class JudgedItem(BaseModel):
    """What a judge sees of an item: no price, no figures."""

    model_config = model(_ITEM)

    item_id: str
    seller: dict[str, str] = Field(description="The text fields, as the seller wrote them.")
    reviews: list[ReviewBody] = Field(description=f"At most {_MOST_VOICES}.")
    questions: list[QuestionBody] = Field(description=f"At most {_MOST_VOICES}.")

    @classmethod
    def of(cls, item: Item) -> JudgedItem:
        return cls.model_construct(
            item_id=item.id,
            seller=dict(item.fields),
            reviews=[ReviewBody.model_construct(text=r.text, rating=r.rating) for r in item.reviews[:_MOST_VOICES]],
            questions=[
                QuestionBody.model_construct(text=q.text, answers=list(q.answers))
                for q in item.questions[:_MOST_VOICES]
            ],
        )


class PairBody(BaseModel):
    """Which of the two is better, and why? People took one of them; which one is not told."""

    model_config = model(_PAIR)

    pair_id: str
    query: str
    category: str
    items: list[JudgedItem]
    terms: list[OfferedTerm]

    @classmethod
    def of(cls, pair: Pair, items: tuple[Item, Item]) -> PairBody:
        return cls.model_construct(
            pair_id=pair.pair_id,
            query=pair.query,
            category=pair.category,
            items=[JudgedItem.of(item) for item in items],
            terms=[OfferedTerm.model_construct(term=term, sources=list(s)) for term, s in pair.offered.items()],
        )


class PairsAnswer(BaseModel):
    """Pairs to judge, those with the fewest judgments first."""

    model_config = model({"pairs": [_PAIR]})

    pairs: list[PairBody]


class JudgmentBody(BaseModel):
    """Which item of a pair is better, and which of the offered terms explain it."""

    model_config = model(
        {
            "judgment_id": "j-17",
            "pair_id": "1f3a5c7e9b0d2f4a6c8e",
            "better": "dress:2",
            "terms": ["zipper"],
            "judge": "ann",
        }
    )

    judgment_id: Id
    pair_id: Id
    better: Id
    terms: Annotated[list[Id], Field(max_length=100)] = []
    judge: Id | None = Field(default=None, description="Who judges; any name.")

    def judgment(self) -> Judgment:
        """Terms sorted, each once: the same judgment in other words is the same."""
        return Judgment(self.judgment_id, self.pair_id, self.better, tuple(sorted(set(self.terms))), self.judge)  # type: ignore[arg-type]


class JudgmentAnswer(BaseModel):
    """`stored` is false when the same judgment was there already."""

    model_config = model({"stored": True})

    stored: bool


class SourceShares(BaseModel):
    """Of the terms that judges chose, and of those that they were offered, the share of one source."""

    model_config = model({"chosen": 0.6, "offered": 0.4})

    chosen: float | None = None
    offered: float | None = None


class PricePoint(BaseModel):
    """A judged item that has a price."""

    model_config = model({"item_id": "dress:1", "category": "dress", "price": 20.0, "score": 0.4})

    item_id: str
    category: str
    price: float
    score: float


class PriceBody(BaseModel):
    """Correlation of judged quality with log price within categories, of so many items; absent while there are few."""

    model_config = model({"correlation": 0.3, "low": 0.1, "high": 0.5, "items": 60, "points": []})

    correlation: float | None = None
    low: float | None = None
    high: float | None = None
    items: int
    points: list[PricePoint]


class AccuracyBody(BaseModel):
    """How often a figure names the item that people took."""

    model_config = model({"accuracy": 0.7, "low": 0.6, "high": 0.8, "pairs": 90})

    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int


class ScoredItem(BaseModel):
    """Judged quality (Bradley-Terry) with its standard error."""

    model_config = model({"item_id": "dress:1", "score": 0.4, "error": 0.2})

    item_id: str
    score: float
    error: float


class QualityReport(BaseModel):
    """What the judgments show; what cannot be told yet is absent."""

    model_config = model(
        {"judgments": 0, "pairs": 0, "sources": {}, "price": {"items": 0, "points": []}, "purchase": {}, "items": []}
    )

    judgments: int
    pairs: int
    sources: dict[str, SourceShares]
    price: PriceBody
    purchase: dict[str, AccuracyBody] = Field(description="`judged`, and with a model `rating` and `residual`.")
    items: list[ScoredItem]
