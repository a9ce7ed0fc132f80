"""The part of the gradient that flows through which data the policy collects.

With mu_f the distribution of the target's samples under pi_f, and phi the dual potential of the optimal transport,

    d/df OT(f mu_f, nu) = E_mu[ d/df C ] at the plan held fixed  +  E_mu[ phi(tau) sum_t d/df log pi(a_t | f(o_t)) ].

The weight of a sample in the second part is its dual potential, centred, and not the cost that the plan assigns to it:
the potential is the derivative of the optimal value with respect to a sample's mass (Peyre & Cuturi 2019, 9.1.2).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_tvd.maps.adam import Adam
from zoo_tvd.maps.affine import Affine
from zoo_tvd.maps.base import Differentiable, Regression
from zoo_tvd.maps.mlp import MLP
from zoo_tvd.samples import Samples
from zoo_tvd.source.base import SourcePolicy

Floats = NDArray[np.float64]


def policy_gradient(f: Differentiable, samples: Samples, potential: Floats, policy: SourcePolicy) -> Floats:
    """sum_i u_i phi_i sum_t d/df log pi(a_t | f(o_t)), [p].

    Args:
        f: the map.
        samples: of the target, under pi_f: the states before each action count, and padding (action -1) does not.
        potential: phi [n], centred.
        policy: of the source, with a score.

    Raises:
        ValueError: the samples have no actions, or the policy has no score.
    """
    if samples.actions is None:
        raise ValueError("the policy term needs the actions of the samples")
    steps = samples.actions.shape[1]
    actions = samples.actions.reshape(len(samples), steps)
    taken = actions >= 0
    o = samples.states[:, :steps][taken]
    score = policy.score(f(o), actions[taken])
    if score is None:
        raise ValueError("the policy term needs a source policy whose probabilities are known and smooth")
    weight = np.broadcast_to((samples.weights * potential)[:, None], actions.shape)[taken]
    return f.pulled_back(o, score * weight[:, None])


def envelope_gradient(f: Differentiable, to: Regression) -> Floats:
    """The derivative of the objective with respect to the parameters of ``f`` with the plan held fixed, [p]."""
    n, T, d = to.observations.shape
    g = to.gradient(f(to.observations)).reshape(n * T, -1)
    return f.pulled_back(to.observations.reshape(n * T, d), g)


def descend(
    f: Affine | MLP, to: Regression, samples: Samples, potential: Floats, policy: SourcePolicy, adam: Adam,
    *, steps: int, rate: float,
) -> tuple[Any, Adam]:  # fmt: skip
    """Take ``steps`` of Adam on the sum of both parts of the gradient, the plan and its potentials held fixed.

    Returns:
        The map, and the moments of Adam.
    """
    for _ in range(steps):
        gradient = envelope_gradient(f, to) + policy_gradient(f, samples, potential, policy)
        parameters, adam = adam.step(f.parameters, gradient, rate)
        f = f.moved(parameters)
    return f, adam
