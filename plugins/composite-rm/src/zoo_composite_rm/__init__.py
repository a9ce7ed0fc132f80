"""Registration of PPO on composite reward models (arXiv:2310.04373); imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import Needs, hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_derived", "zoo_plots", "zoo_register", "zoo_suites"]

_PAPER = "Moskovitz et al. 2024, Confronting Reward Model Overoptimization with Constrained RLHF, arXiv:2310.04373"
_ALGORITHMS = (
    ("ppo-sum", "PPOSum", "SumConfig", "PPO on a weighted sum of reward models and KL"),
    ("ppo-sat", "PPOSat", "SatConfig", "PPO on the squared distance of each sample's scores from thresholds"),
    ("mu-ppo", "MuPPO", "MuConfig", "stay near the reference, subject to v_i >= theta_i of each reward model"),
    ("xi-ppo", "XiPPO", "XiConfig", "stay near the reference, subject to v_i = theta_i of each reward model"),
    ("all-ppo", "AllPPO", "AllConfig", "maximise all reward models, subject to v_i <= theta_i of each"),
)


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the algorithms, the evaluator and the command."""
    zoo.command(
        "composite",
        "zoo_composite_rm.proxy.cli:main",
        summary="where each of several reward models stops being a good proxy",
    )
    for name, attribute, config, summary in _ALGORITHMS:
        zoo.algorithm(
            name,
            f"zoo_composite_rm.agent:{attribute}",
            config=f"zoo_composite_rm.config:{config}",
            summary=summary,
            needs=Needs(action="discrete", constraints=True),
            paper=_PAPER,
            presets="zoo_composite_rm:presets",
            steps=81_920,
        )
    zoo.algorithm(
        "nm-ppo",
        "zoo_composite_rm.proxy.agent:NMPPO",
        config="zoo_composite_rm.proxy.config:NMConfig",
        summary="xi-ppo while a simplex search finds the thresholds; the policy is never reset",
        needs=Needs(action="discrete", constraints=True),
        paper=_PAPER,
        presets="zoo_composite_rm:presets",
        steps=163_840,
    )
    zoo.evaluator(
        "composite",
        "zoo_composite_rm.evaluator:CompositeEvaluator",
        config="zoo_composite_rm.config:ExactConfig",
        summary="exact mean scores, KL and truth of a policy, where all sequences can be enumerated",
        subject="algorithm",
    )


@hookimpl
def zoo_suites() -> list[str]:
    """``zoo bench composite-rm``."""
    return ["zoo_composite_rm:suites/composite-rm.toml"]


@hookimpl
def zoo_derived() -> dict[str, str]:
    """Metrics that suites compute from runs: the truth at mean scores, distances, proxy points, samples."""
    functions = (
        "truth_at_means", "distance_from_threshold", "peak_minus_final", "proxy_point", "joint_proxy_point",
        "proxy_shift", "samples_with_search",
    )  # fmt: skip
    return {name: f"zoo_composite_rm.proxy.derived:{name}" for name in functions}


@hookimpl
def zoo_plots() -> dict[str, str]:
    """``zoo plot composite`` and ``zoo plot proxy``."""
    return {"composite": "zoo_composite_rm.figures:composite", "proxy": "zoo_composite_rm.figures:proxy"}
