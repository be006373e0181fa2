"""PUT /v1/items, GET and DELETE /v1/items/{id}."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.bodies import entries, json_body, validate
from app.routes.dependencies import Raw, Running, json, json_of_many
from app.schemas.items import ItemBody, ItemsAnswer
from app.schemas.parts import ErrorAnswer
from core.types import ItemId

router = APIRouter(tags=["catalogue"])


@router.put("/v1/items", response_model=ItemsAnswer, openapi_extra=json_body(ItemBody, ndjson=True))
def put_items(raw: Raw, service: Running) -> Response:
    """Insert or replace items: a JSON array, one object, or NDJSON. Good ones are stored, others refused one by one."""
    found = entries(raw, many="items")
    valid, rejected = validate(found, ItemBody, "invalid_item")
    if valid:
        service.put([entry.body.item() for entry in valid])
    return json_of_many(ItemsAnswer(stored=len(valid), rejected=rejected), len(found))


# Ids may hold slashes, hence `path`.
@router.get("/v1/items/{item_id:path}", response_model=ItemBody, responses={404: {"model": ErrorAnswer}})
def get_item(item_id: str, service: Running) -> Response:
    """The item as it was stored."""
    return json(ItemBody.of(service.get(ItemId(item_id))))


@router.delete("/v1/items/{item_id:path}", status_code=204, responses={404: {"model": ErrorAnswer}})
def delete_item(item_id: str, service: Running) -> Response:
    """Remove an item from every arm."""
    service.delete(ItemId(item_id))
    return Response(status_code=204)
