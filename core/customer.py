"""Who a customer is: one order for caps, relations and tastes alike."""

from __future__ import annotations

from core.types import Query


def customer_of(query: Query) -> str | None:
    """The user, else the client, else the session; None for nobody known.

    A user may have several clients, and clearing cookies must not make him several customers. A session is better than
    nothing: it holds a taste for as long as it lasts, and it caps who sends nothing else.
    """
    return query.user_id or query.client_id or query.session_id
