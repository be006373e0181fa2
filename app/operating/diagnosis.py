"""What each part of the loop has, and what it waits for."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from app.jobs.rollout_operator import standing
from app.learning.rollout import ROLLOUT
from app.learning.troubles import Troubles
from app.operating.findings import Finding, State
from app.operating.operations_diagnosis import operations
from app.settings import Settings
from app.web.keys import Keys
from app.wiring.named import unusable
from app.wiring.rollout import rules
from app.wiring.stores import open_catalogue, open_registry, open_store
from core.errors import BowerbirdError, InvalidConfig
from core.protocols import Release
from feedback.join import every_closed
from feedback.reward import RewardRule
from ranking.quality.model import COMPONENT as QUALITY
from retrievers.vectors.export import exported

_LEAST_FREE_GIB = 1.0


@dataclass(frozen=True, slots=True)
class LogFigures:
    """What the event log holds."""

    impressions: int
    feedback: int
    clients: int
    clicked: int
    open: int


def diagnose(settings: Settings, log: LogFigures | None = None) -> list[Finding]:
    """One finding per part, in the order in which a query meets them. Without `log`, the whole log is read."""
    configured = list(_configuration(settings))
    found = [*_storage(settings), *_database(settings)]
    # What a broken database holds cannot be told.
    if not any(finding.part == "database" and finding.state == "broken" for finding in found):
        parts = (_catalogue, _encoder, partial(_learning, log=log), operations)
        found += (finding for part in parts for finding in part(settings))
    told = {finding.part for finding in configured}
    return [*configured, *(finding for finding in found if finding.part not in told)]


def _configuration(settings: Settings) -> Iterator[Finding]:
    """With a finding for each part that is named and cannot be used."""
    wrong = unusable(settings)
    if wrong:
        yield Finding("configuration", "broken", f"it names what cannot be used, hash {settings.hash}.")
    else:
        yield Finding("configuration", "ok", f"valid, hash {settings.hash}.")
    yield from (Finding(part, "broken", str(error)) for part, error in wrong.items())


def _database(settings: Settings) -> Iterator[Finding]:
    if not settings.database.used:
        return
    from app.wiring import database

    try:
        place, version, safe = database.describe(settings)
    except BowerbirdError as error:
        yield Finding("database", "broken", str(error))
        return
    if safe:
        yield Finding("database", "ok", f"{place}, tables of version {version}.")
    else:
        yield Finding("database", "broken", f"{place} has fsync off: what is acknowledged may be lost. Turn it on.")


def _storage(settings: Settings) -> Iterator[Finding]:
    count, default = len(settings.retrieval.plans), settings.retrieval.default_plan
    yield Finding("plans", "ok", f"{count} plans; the default is {default!r}.")
    yield _access(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free / 2**30
    state: State = "ok" if free > _LEAST_FREE_GIB else "broken"
    yield Finding("storage", state, f"{settings.data_dir} has {free:.1f} GiB free (needs {_LEAST_FREE_GIB:g}).")


def _access(settings: Settings) -> Finding:
    try:
        known = Keys(settings.data_dir).read()
    except BowerbirdError as error:
        return Finding("access", "broken", str(error))
    if known is None:
        return Finding("access", "ok", "no API keys; the service listens on loopback only.")
    if not known:
        message = "the last API key was revoked, so every request is refused; make one with `bowerbird keys create`."
        return Finding("access", "broken", message)
    scopes = sorted({scope for key in known.values() for scope in key.scopes})
    return Finding("access", "ok", f"{len(known)} API keys, for {', '.join(scopes)}.")


def _catalogue(settings: Settings) -> Iterator[Finding]:
    catalogue = open_catalogue(settings)
    try:
        count = len(catalogue)
    finally:
        catalogue.close()
    if count:
        yield Finding("catalogue", "ok", f"{count} items.")
    else:
        yield Finding("catalogue", "waits", "no items; load some with `bowerbird ingest FILE` or PUT /v1/items.")


def _encoder(settings: Settings) -> Iterator[Finding]:
    if found := exported(settings.data_dir / "cache"):
        yield Finding("encoder", "ok", f"{settings.vector.encoder}, exported as {found[0].name}.")
    elif importlib.util.find_spec("torch"):
        yield Finding("encoder", "waits", "not exported yet; the first start does it, in some ten seconds.")
    else:
        yield Finding("encoder", "broken", "PyTorch is needed to export the encoder: pip install torch.")


def _learning(settings: Settings, *, log: LogFigures | None) -> Iterator[Finding]:
    log = log or _read_log(settings)
    if not log.impressions:
        yield Finding("events", "waits", "no searches are logged; every POST /v1/search logs one.")
    elif not log.feedback:
        yield Finding("events", "waits", f"{log.impressions} searches, no feedback; send clicks to POST /v1/events.")
    else:
        waiting = f" {log.open} searches are still open for feedback." if log.open else ""
        yield Finding(
            "events",
            "ok",
            f"{log.impressions} searches, {log.feedback} feedback events, {log.clicked} with a click.{waiting}",
        )
    if log.impressions and not log.clients:
        yield Finding(
            "client ids", "waits", "no search carries a client_id, so one client's clicks cannot be told from many's."
        )
    release = open_registry(settings).current()
    yield _model("memory", "memory", release, log.clicked, 1, "uses predicted words")
    for component, trouble in Troubles(settings.data_dir).read().items():
        when = datetime.fromtimestamp(trouble["time"], UTC).isoformat(timespec="seconds")
        message = f"could not be learned at {when}: {trouble['why']} What served before goes on serving."
        yield Finding(component, "broken", message)
    yield _model("ranking", "ranker", release, log.clicked, settings.ranking.min_clicked, "uses reciprocal rank fusion")
    yield _quality(release)
    match settings.policy.kind:
        case "coverage" if settings.rolls_out and release is not None and ROLLOUT in release.components:
            yield _rollout(settings)
        case "coverage" | "vw_adf" | "misguided":
            yield _model(
                "policy", "policy", release, log.clicked, settings.policy.min_clicked, "serves the default plan"
            )
        case kind:
            yield Finding("policy", "ok", f"{kind}: configured not to learn.")


def _quality(release: Release | None) -> Finding:
    if release is not None and QUALITY in release.components:
        return Finding("quality", "ok", f"built, in release {release.number}.")
    message = "not built; `bowerbird quality build` reads customers' reviews and questions, if the items have any."
    return Finding("quality", "waits", message)


def _rollout(settings: Settings) -> Finding:
    try:
        found = standing(settings).rollout
    except InvalidConfig as error:  # of its plans
        return Finding("policy", "broken", str(error))
    share = found.share(rules(settings))
    place = f"at {share:.0%} of the clients" if share else "at the gate"
    trial = f" {found.candidate} is {place}." if found.candidate else ""
    told = f" Last decision: {found.decisions[-1].reason}" if found.decisions else ""
    return Finding("policy", "ok", f"{found.champion} is the champion.{trial}{told}")


def _model(part: str, component: str, release: Release | None, has: int, needs: int, meanwhile: str) -> Finding:
    if release is not None and component in release.components:
        return Finding(part, "ok", f"learned, in release {release.number}.")
    if has < needs:
        return Finding(part, "waits", f"needs {needs} searches with a click, has {has}; until then it {meanwhile}.")
    return Finding(part, "waits", f"has enough clicks ({has}); run `bowerbird learn`, or wait for the running learner.")


def _read_log(settings: Settings) -> LogFigures:
    store = open_store(settings)
    rule = RewardRule(settings.feedback.weights)
    try:
        counts = store.counts()
        episodes = clicked = 0
        for episode in every_closed(store, now=time.time(), window_s=settings.feedback.window_s, rule=rule):
            episodes += 1
            clicked += any(gain > 0 for gain in episode.gains)
    finally:
        store.close()
    still_open = counts["impressions"] - episodes
    return LogFigures(counts["impressions"], counts["feedback"], counts["clients"], clicked, still_open)
