"""The counts of values and of ranges that a search asks for."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.schemas.parts import model
from core.facets import Facet, Figures


class ValueBody(BaseModel):
    """A value of an attribute, and how many items have it."""

    model_config = model({"value": "HP", "count": 17})

    value: str
    count: int


class RangeCountBody(BaseModel):
    """The least and the greatest figure in a range, and how many items are in it; as a filter, it gives just those."""

    model_config = model({"from": 12.99, "to": 99.0, "count": 41})

    low: float = Field(alias="from")
    high: float = Field(alias="to")
    count: int


class FiguresBody(BaseModel):
    """The facet of a number: its bounds, absent where no item has one, and ranges of about equally many items."""

    model_config = model({"min": 12.99, "max": 480.0, "ranges": [{"from": 12.99, "to": 99.0, "count": 41}]})

    min: float | None = None
    max: float | None = None
    ranges: list[RangeCountBody]

    @classmethod
    def of(cls, figures: Figures) -> FiguresBody:
        found = figures.ranges
        ranges = [RangeCountBody.model_construct(low=r.low, high=r.high, count=r.count) for r in found]
        low, high = (found[0].low, found[-1].high) if found else (None, None)
        return cls.model_construct(min=low, max=high, ranges=ranges)


FacetBody = FiguresBody | list[ValueBody]


def facet_body(facet: Facet) -> FacetBody:
    if isinstance(facet, Figures):
        return FiguresBody.of(facet)
    return [ValueBody.model_construct(value=each.value, count=each.count) for each in facet]
