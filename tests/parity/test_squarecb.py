"""What serves in numpy is what VW's SquareCB would do, and what VW saved goes on exactly where it was."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from bandit_world import LIBRARY, search, visit
from words import query

from bandit.adf.learner import AdfLearner
from bandit.adf.policy import AdfModel, VwAdfPolicy, action_features
from bandit.adf.squarecb import SquareCb
from bandit.terms import Terms
from bandit.warmup import WarmupPolicy
from core.types import Features

GAMMA = 30.0
ACTIONS = action_features(LIBRARY)


def learned() -> AdfModel:
    random, warmup = np.random.default_rng(1), WarmupPolicy(LIBRARY, 1, 0.5)
    learner = AdfLearner(LIBRARY, 1, Terms(1, 0.01, GAMMA, 0.0))
    learner.learn([visit(warmup, search(n, random), random) for n in range(500)])
    model = learner.snapshot()
    learner.close()
    assert model is not None
    return AdfModel.load(model)


def test_numpy_explores_as_vw_does() -> None:
    model, random = learned(), np.random.default_rng(2)
    vw = SquareCb(ACTIONS, len(model.names), gamma=GAMMA, seed=1, saved=model.vw)
    np.testing.assert_array_equal(vw.export(), model.weights)
    policy = VwAdfPolicy(model, seed=1)
    for n in range(100):
        context = search(n, random).context
        served = list(policy.propensities(query("x"), context).values())
        np.testing.assert_allclose(served, vw.propensities(context.values.astype(float)), rtol=0, atol=1e-6)
    vw.close()


def test_what_was_saved_learns_on_exactly_as_what_was_not() -> None:
    random = np.random.default_rng(3)
    kept = SquareCb(ACTIONS, 5, gamma=GAMMA, seed=1)

    def teach(*taught: SquareCb) -> None:
        for _ in range(200):
            values, action, cost = random.random(5), int(random.integers(len(ACTIONS))), float(random.normal())
            for each in taught:
                each.learn(action, values, cost=cost, propensity=0.1)

    teach(kept)
    resumed = SquareCb(ACTIONS, 5, gamma=GAMMA, seed=1, saved=kept.save())
    teach(kept, resumed)
    np.testing.assert_array_equal(resumed.export(), kept.export())
    values = random.random(5)
    np.testing.assert_array_equal(resumed.propensities(values), kept.propensities(values))
    kept.close()
    resumed.close()


def test_crossed_features_never_share_a_weight() -> None:
    """One row of one action touches the weights of its own indicators, and no other."""
    vw = SquareCb(ACTIONS, 7, gamma=GAMMA, seed=1)
    vw.learn(3, np.ones(7), cost=1.0, propensity=0.5)
    touched = vw.export() != 0
    np.testing.assert_array_equal(touched, np.repeat(ACTIONS[3][:, None], 8, axis=1))
    vw.close()


def test_another_process_gives_the_same_propensities_and_never_loads_vw(tmp_path: Path) -> None:
    model = replace(learned(), floor=0.02)
    (tmp_path / "model").write_bytes(model.dump())
    values = np.random.default_rng(4).random(len(model.names)).astype(np.float32)
    (tmp_path / "context").write_bytes(values.tobytes())
    code = (
        "import sys; import numpy as np; from pathlib import Path\n"
        "from bandit.adf.policy import *; import bandit.adf.learner\n"
        "model = AdfModel.load(Path(sys.argv[1], 'model').read_bytes())\n"
        "context = Features(model.names, np.frombuffer(Path(sys.argv[1], 'context').read_bytes(), np.float32))\n"
        "chances = VwAdfPolicy(model, seed=1).propensities(Query('q', 'x', 0.0), context)\n"
        "print([chance.hex() for chance in chances.values()], 'vowpalwabbit' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True).stdout
    here = VwAdfPolicy(model, seed=1).propensities(query("x"), Features(model.names, values))
    assert told.strip() == f"{[chance.hex() for chance in here.values()]} False"
