"""PUT /v1/items, GET and DELETE /v1/items/{id}."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.routes.dependencies import All, AtHand, InLanes, Raw, Running, json, json_of_many
from app.schemas.items import ItemBody, ItemsAnswer
from app.schemas.parts import ErrorAnswer, Id, Rejection
from app.web.access import Guarded, needs
from app.web.bodies import entries, json_body, validate
from core.errors import TooMany
from core.pace import unhurried
from core.types import Item, ItemId

router = APIRouter(tags=["catalogue"], route_class=Guarded)


@router.put(
    "/v1/items",
    response_model=ItemsAnswer,
    dependencies=[needs("admin")],
    responses={422: {"model": ErrorAnswer | ItemsAnswer}},
    openapi_extra=json_body(ItemBody, ndjson=True),
)
async def put_items(raw: Raw, hand: All) -> Response:
    """Insert or replace items: a JSON array, one object, or NDJSON. Good ones are stored, others refused one by one."""
    return await hand.lanes.items.run(lambda: _put(raw, hand))


def _put(raw: bytes, hand: AtHand) -> Response:
    with hand.lanes.items_read.turn(), hand.service.gaps.beside():
        items, rejected = _read(raw, hand.settings.limits.items_per_batch)
    if items:
        hand.service.put(items)
    return json_of_many(ItemsAnswer(stored=len(items), rejected=rejected), len(items) + len(rejected))


def _read(raw: bytes, most: int) -> tuple[list[Item], list[Rejection]]:
    """The items that can be understood, and why the others cannot."""
    found = entries(raw, many="items")
    if len(found) > most:
        raise TooMany(len(found), most)
    valid, rejected = validate(found, ItemBody, "invalid_item")
    return [entry.body.item() for entry in unhurried(valid)], rejected


# Ids may hold slashes, hence `path`.
@router.get(
    "/v1/items/{item_id:path}",
    response_model=ItemBody,
    dependencies=[needs("search")],
    responses={404: {"model": ErrorAnswer}},
)
async def get_item(item_id: Id, service: Running, lanes: InLanes) -> Response:
    """The item as it was stored."""
    return await lanes.items.run(lambda: json(ItemBody.of(service.get(ItemId(item_id)))))


@router.delete(
    "/v1/items/{item_id:path}",
    status_code=204,
    dependencies=[needs("admin")],
    responses={404: {"model": ErrorAnswer}},
)
async def delete_item(item_id: Id, service: Running, lanes: InLanes) -> Response:
    """Remove an item from every arm."""
    await lanes.items.run(lambda: service.delete(ItemId(item_id)))
    return Response(status_code=204)
