"""A process beside the service that answers searches as the service does: the same catalogue, indexes and models."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Thread

from app.indexing import garbage
from app.operating.interpreter import for_searching
from app.search.request_clock import RequestClock
from app.search.wanted import Wanted
from app.searchers.shown import Shown, show
from app.service import Service
from app.settings import Settings
from app.wiring.service import build_service
from core.errors import BowerbirdError

log = logging.getLogger(__name__)


def search_for(settings: Settings, connections: Sequence[Connection]) -> None:
    """The first connection is for news, the others are seats. Whoever has a seat sends a Wanted and a RequestClock, and
    gets a Shown, or None when it has to look for itself.

    By the news comes the number of a change of the catalogue that is to be taken in, and goes the number up to which
    all are: the first once searches can be answered. None is the end, and so is that of who has the other ends.
    """
    news, *seats = connections
    for_searching()
    service = build_service(settings, saves=False)
    service.start()
    garbage.started()
    service.follow(settings.service.reload_s)
    for seat in seats:
        Thread(target=_serve, args=(service, seat), daemon=True).start()
    with suppress(EOFError, OSError):
        wanted: int | None = 0
        while wanted is not None:
            service.indexer.reach(wanted)
            news.send(service.indexer.sequence)
            wanted = news.recv()
    service.close()
    os._exit(0)  # whatever hangs in one of its threads, nobody waits for it


def _serve(service: Service, seat: Connection) -> None:
    with suppress(EOFError, OSError):  # then nobody is there any more
        while True:
            seat.send(_shown(service, *seat.recv()))


def _shown(service: Service, wanted: Wanted, clock: RequestClock) -> Shown | None:
    try:
        with service.gaps.search():
            return show(service, wanted, clock)
    except BowerbirdError:  # something wrong is asked for, which whoever asks is told by the service itself
        return None
    except Exception:  # the service tries itself
        log.exception("search %s failed beside the service", wanted.query.id)
        return None
