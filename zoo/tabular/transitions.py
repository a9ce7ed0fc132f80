"""The exact model of environments that list their transitions, as gymnasium's FrozenLake, Taxi and CliffWalking do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from zoo.tabular.errors import InvalidCMDPError
from zoo.tabular.model import TabularCMDP

DISCOUNT = 0.99
"""Of models whose source states none."""
_DENSE = 2**22
"""Kernels of up to so many entries are dense."""
_PLAIN = ("OrderEnforcing", "PassiveEnvChecker", "RecordEpisodeStatistics", "TimeLimit")
"""gymnasium's wrappers that change neither rewards nor transitions."""


def from_transitions(P: Mapping[Any, Any], rho: ArrayLike, gamma: float = DISCOUNT) -> TabularCMDP:
    """The process of a table of transitions, which says for each of them whether it ends the episode.

    Args:
        P: ``P[s][a]`` is a list of ``(probability, successor, reward, terminated)``, with states and actions 0, 1, ...
        rho: distribution of the first state, ``[S]``.
        gamma: discount, in [0, 1).

    Returns:
        A process whose terminal states are those in which an episode can end. States that no episode leads to keep
        what the table says of them.

    Raises:
        InvalidCMDPError: the table is no such thing, or a state is the end of one episode and not of another.
    """
    S, A = len(P), len(P[0]) if 0 in P else 0
    try:
        listed = [(s, a, *outcome) for s in range(S) for a in range(A) for outcome in P[s][a]]
        table = np.array([[float(x) for x in row] for row in listed]).reshape(-1, 6)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidCMDPError(
            "the table of transitions cannot be read: expected P[s][a] as a list of "
            "(probability, successor, reward, terminated)."
        ) from error
    s, a, t = (table[:, column].astype(np.int64) for column in (0, 1, 3))
    probability, reward, ends = table[:, 2], table[:, 4], table[:, 5] != 0
    if t.size and not 0 <= t.min() <= t.max() < S:
        raise InvalidCMDPError(f"the table of transitions leads to a state outside 0..{S - 1}.")
    possible = probability > 0
    going = possible & ~ends
    steps = sp.csr_array((np.ones(going.sum()), (s[going], t[going])), shape=(S, S))
    reached = np.asarray(rho, dtype=np.float64) > 0
    while True:
        grown = reached | (steps.T @ reached.astype(np.float64) > 0)
        if (grown == reached).all():
            break
        reached = grown
    terminal = np.zeros(S, dtype=np.bool_)
    terminal[t[possible & ends & reached[s]]] = True
    both = np.flatnonzero(terminal & reached)
    if both.size:
        raise InvalidCMDPError(f"state {both[0]} ends some episodes and not others: expected one or the other.")
    used = ~terminal[s]
    kernel = sp.csr_array((probability[used], ((s * A + a)[used], t[used])), shape=(S * A, S))
    r = np.zeros(S * A)
    np.add.at(r, (s * A + a)[used], (probability * reward)[used])
    dense = S * A * S <= _DENSE
    return TabularCMDP(
        kernel.toarray() if dense else kernel, r.reshape(S, A), gamma, np.asarray(rho), terminal=terminal
    )


def listed_model(env: Any) -> Callable[[], TabularCMDP] | None:
    """What builds the exact model of a gymnasium environment with ``unwrapped.P`` and ``initial_state_distrib``.

    None where it lists no transitions, where these are not all there is to it (Taxi's fickle passenger, a wrapper that
    may change rewards or observations), or where they make no process.
    """
    base = env.unwrapped
    P, rho = getattr(base, "P", None), getattr(base, "initial_state_distrib", None)
    counts = [getattr(space, "n", None) for space in (env.observation_space, env.action_space)]
    if not isinstance(P, dict) or rho is None or len(P) != counts[0] or len(P.get(0, ())) != counts[1]:
        return None
    if getattr(base, "fickle_passenger", False) or env.observation_space.start or env.action_space.start:
        return None
    layer = env
    while layer is not base:
        kind = type(layer)
        plain = kind.__name__ in _PLAIN and kind.__module__.startswith("gymnasium.")
        if not plain and not getattr(kind, "changes_nothing", False):
            return None
        layer = layer.env
    try:
        model = from_transitions(P, rho)
    except InvalidCMDPError:
        return None
    return lambda: model
