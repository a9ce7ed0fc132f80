"""Registration of the algorithms of stable-baselines3 and sb3-contrib; ``zoo list`` never imports torch."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, NamedTuple

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo import Registrar


class Row(NamedTuple):
    """One algorithm; ``learner`` names SB3's class, this package's, and (with ``Config`` appended) its options."""

    name: str
    learner: str
    module: str
    family: str
    action: Literal["discrete", "box"] | None
    steps: int
    summary: str
    paper: str


ALGORITHMS = (
    Row("ppo", "PPO", "baselines", "on_policy", None, 100_000,
        "proximal policy optimisation, clipped", "Schulman et al. 2017, arXiv:1707.06347"),
    Row("a2c", "A2C", "baselines", "on_policy", None, 200_000,
        "advantage actor-critic, synchronous", "Mnih et al. 2016, arXiv:1602.01783"),
    Row("dqn", "DQN", "baselines", "value_based", "discrete", 100_000,
        "deep Q-network", "Mnih et al. 2015, doi:10.1038/nature14236"),
    Row("sac", "SAC", "baselines", "soft_actor", "box", 50_000,
        "soft actor-critic", "Haarnoja et al. 2018, arXiv:1812.05905"),
    Row("td3", "TD3", "baselines", "deterministic_actor", "box", 50_000,
        "twin delayed deterministic policy gradient", "Fujimoto et al. 2018, arXiv:1802.09477"),
    Row("ddpg", "DDPG", "baselines", "deterministic_actor", "box", 50_000,
        "deep deterministic policy gradient", "Lillicrap et al. 2015, arXiv:1509.02971"),
    Row("trpo", "TRPO", "contrib", "on_policy", None, 100_000,
        "trust-region policy optimisation", "Schulman et al. 2015, arXiv:1502.05477"),
    Row("tqc", "TQC", "contrib", "soft_actor", "box", 50_000,
        "truncated quantile critics", "Kuznetsov et al. 2020, arXiv:2005.04269"),
    Row("qrdqn", "QRDQN", "contrib", "value_based", "discrete", 100_000,
        "quantile-regression DQN", "Dabney et al. 2018, arXiv:1710.10044"),
    Row("recurrent-ppo", "RecurrentPPO", "contrib", "on_policy", None, 200_000,
        "PPO with a recurrent (LSTM) policy", "Schulman et al. 2017, arXiv:1707.06347"),
    Row("crossq", "CrossQ", "contrib", "soft_actor", "box", 50_000,
        "soft actor-critic with batch normalisation and no target networks",
        "Bhatt et al. 2024, arXiv:1902.05605"),
)  # fmt: skip


def available() -> tuple[Row, ...]:
    """The algorithms whose library is installed; neither library is imported to find out."""
    contrib = find_spec("sb3_contrib") is not None
    return tuple(row for row in ALGORITHMS if contrib or row.module != "contrib")


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register one algorithm for each available row."""
    for row in available():
        zoo.algorithm(
            row.name,
            f"zoo_sb3.{row.module}:{row.learner}",
            config=f"zoo_sb3.config.{row.family}:{row.learner}Config",
            summary=row.summary,
            needs=Needs(action=row.action),
            paper=row.paper,
            presets="zoo_sb3:presets",
            steps=row.steps,
        )
