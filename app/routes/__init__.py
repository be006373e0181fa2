"""The HTTP routes, one file per resource."""

from app.routes import (
    adapted_events,
    assets,
    events,
    insights,
    items,
    memory,
    operations,
    plans,
    policies,
    quality,
    search,
)

RESOURCES = (search, memory, adapted_events, events, items, quality, plans, policies, insights, operations, assets)
