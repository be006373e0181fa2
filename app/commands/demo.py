"""bowerbird demo: the whole loop in a few minutes, on the bundled music catalogue."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from app.commands.common import Invocation, Json, print_json, progress_bar, remarks, results
from core.errors import Unavailable

_START_S = 120
# A model release a second while people click; when none has come for this long, the learner has caught up.
_QUIET_S = 6


def demo(
    searches: Annotated[int, typer.Option(min=500, help="How many searches the listeners make.")] = 3_000,
    rate: Annotated[
        float, typer.Option(min=1, help="At most so many searches a second: the learner comes along.")
    ] = 60,
    seed: int = 1,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data; emptied first.")] = Path("var/demo"),
    serve: Annotated[bool, typer.Option(help="Leave the service running at the end.")] = True,
    browser: Annotated[bool, typer.Option(help="Open the studio in a browser, where there is a screen.")] = True,
    as_json: Json = False,
) -> None:
    """Index music, start the service, let simulated listeners search and click over HTTP, and show what it learned."""
    from app.jobs.charts import demo_report
    from app.settings import CONFIGS

    _need_client()
    called = Invocation(CONFIGS / "demo.toml", folder)
    port = _free_port(port)
    _check_folder(called, folder)
    _prepare(called, folder)
    # Out of reach of Ctrl-C, and ended below: who listens has stopped asking by then.
    command = [sys.executable, "-m", "app.cli", *called.arguments(), "serve", "--port", str(port)]
    server = subprocess.Popen(command, process_group=0)
    url = f"http://127.0.0.1:{port}"
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(0))  # through `finally`, so that the service ends as well
    try:
        _wait_until_ready(server, url)
        _show_studio(url, browser=browser and not as_json)
        report = _listen(url, called, searches=searches, rate=rate, seed=seed)
        picture = folder / "demo.png"
        demo_report(report, picture)
        if as_json:
            print_json(report)
        else:
            _print(report, picture)
        if serve:
            remarks.print(f"\nThe service goes on at {url} (its API: {url}/docs). Stop it with Ctrl-C.")
            server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.terminate()
        server.wait()


def _need_client() -> None:
    """The listeners are a program of their own: they talk to the service by its Python client."""
    if find_spec("bowerbird_client") is None:
        message = "The demo's listeners need the Python client, which is not installed."
        raise Unavailable("no_client", message, "Install it: pip install clients/python")


def _free_port(port: int) -> int:
    """This one, or any for 0. Unavailable when another program has it: the listeners would click there."""
    from app.web.listening import listen

    (found,) = listen("127.0.0.1", port)
    with found:
        return int(found.getsockname()[1])


def _check_folder(called: Invocation, folder: Path) -> None:
    """Unavailable while the learner of another service is at work in it."""
    from app.wiring.stores import open_leader

    leader = open_leader(called.settings())
    try:
        if not leader.lead():
            message = f"Another service works on the data in {folder}, which the demo would empty."
            raise Unavailable("demo_folder_in_use", message, "Stop that service, or name another folder with --folder.")
    finally:
        leader.close()


def _prepare(called: Invocation, folder: Path) -> None:
    """An empty data directory with the music in it; the encoder's export is kept."""
    from app.demo.run import catalogue
    from app.wiring.stores import open_catalogue

    for old in (*folder.glob("*.sqlite*"), folder / "models", folder / "insights.json"):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    store = open_catalogue(called.settings())
    items = catalogue()
    store.put(items)
    store.close()
    remarks.print(f"{len(items)} artists, tracks, albums, playlists, stations and podcasts.")
    reviews = sum(len(item.reviews) for item in items)
    remarks.print(f"{reviews} reviews of the playlists and stations. These are invented, and so are their reviews.")


def _wait_until_ready(server: subprocess.Popen[bytes], url: str) -> None:
    import httpx

    until = time.monotonic() + _START_S
    with remarks.status("indexing (the first time, the encoder is exported as well)"):
        while time.monotonic() < until and server.poll() is None:
            try:
                if httpx.get(f"{url}/readyz").status_code == 200 and server.poll() is None:
                    return  # and it was the demo's own that answered
            except httpx.TransportError:
                pass
            time.sleep(0.2)
    raise Unavailable("demo_not_ready", f"The service at {url} did not become ready.", "See its messages above.")


def _show_studio(url: str, *, browser: bool) -> None:
    """While the listeners click, its curve moves."""
    page = f"{url}/studio/learning"
    remarks.print(f"Watch it learn: {page}")
    screen = sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if browser and screen and sys.stdout.isatty():
        webbrowser.open(page)


def _listen(url: str, called: Invocation, *, searches: int, rate: float, seed: int) -> dict[str, Any]:
    from app.demo.run import Listeners

    with Listeners(url, seed=seed) as listeners:
        before = listeners.look()
        with progress_bar("searches", searches) as advance:
            curve = listeners.listen(searches, advance, rate=rate)
        _wait_for_learner(url)
        after = listeners.look()
        pairs = _read_reviews(called)
        plans = called.settings().retrieval.plans
        with progress_bar("fixed plans", len(plans)) as advance:
            fixed = {}
            for plan in plans:
                fixed[plan] = listeners.look(plan)
                advance(1)
    best = max(fixed, key=lambda plan: fixed[plan]["reward"])
    return {"before": before, "curve": curve, "after": after, "plans": fixed, "best_plan": best, "pairs": pairs}


def _read_reviews(called: Invocation) -> int:
    """What `bowerbird quality build` does; how many pairs there are to compare on the studio's Quality page."""
    from app.jobs.quality import build_quality

    with remarks.status("reading the reviews"):
        return build_quality(called.settings()).pairs


def _wait_for_learner(url: str) -> None:
    import httpx

    last, since = -1, time.monotonic()
    with remarks.status("the learner catches up"):
        while time.monotonic() < since + _QUIET_S:
            release = httpx.get(f"{url}/readyz").json()["release"]
            if release != last:
                last, since = release, time.monotonic()
            time.sleep(0.5)


def _print(report: dict[str, Any], picture: Path) -> None:
    before, after, best = report["before"], report["after"], report["plans"][report["best_plan"]]
    table = Table("", "before", "after learning", f"best fixed plan ({report['best_plan']}), after")
    for figure, what in (
        ("nDCG@10", "quality, nDCG@10"),
        ("reward", "reward: chance of a click"),
        ("retrieval_ms", "retrieval, ms of all arms"),
    ):
        table.add_row(what, *(f"{values[figure]:.3f}" for values in (before, after, best)))
    results.print(table)
    arms = Table(
        "arm", "first tenth", "last tenth", title="Share of searches that asked the arm, a tenth of them of the control"
    )
    first, last = report["curve"][0]["arms"], report["curve"][-1]["arms"]
    for arm in sorted(first.keys() | last.keys()):
        arms.add_row(arm, f"{first.get(arm, 0):.0%}", f"{last.get(arm, 0):.0%}")
    results.print(arms)
    results.print(f"{report['pairs']} pairs of items to compare, on the studio's Quality page.")
    ratio = after["reward"] / best["reward"]
    results.print(
        f"Reward of the learned policy over the best fixed plan in hindsight: {ratio:.3f}. Picture: {picture}"
    )
