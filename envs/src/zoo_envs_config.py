"""Options of the environments: frozen dataclasses that load neither numpy nor gymnasium.

They live beside the package, not in it, so that a command line can read them without running
``zoo_envs/__init__.py``. Defaults equal those of the classes' constructors (a test compares the two).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "BasicGridConfig",
    "CartPoleConfig",
    "ConstrainedCatchConfig",
    "ControlSuiteConfig",
    "EscapeConfig",
    "ForagingPatchesConfig",
    "FourRoomsConfig",
    "GarnetConfig",
    "HazardGridConfig",
    "ICLExemplarsConfig",
    "RiverSwimConfig",
    "SixArmsConfig",
    "TabularConfig",
    "TextCompositeConfig",
    "ThreeStateConfig",
    "TinyCompositeConfig",
    "TwoRoomsConfig",
    "TwoStateConfig",
]


@dataclass(frozen=True, kw_only=True)
class TwoStateConfig:
    """Options of ``zoo/TwoState-v0``."""

    theta: float = 0.5
    """least normalised utility J_u, in [0, 1]"""
    gamma: float = 0.9
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ThreeStateConfig:
    """Options of ``zoo/ThreeState-v0``."""

    heat: float = 0.2
    """largest normalised heat per step"""
    energy: float = 0.3
    """largest normalised energy per step"""
    gamma: float = 0.9
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class GarnetConfig:
    """Options of ``zoo/Garnet-v0``."""

    S: int = 20
    """number of states, at least 1"""
    A: int = 4
    """number of actions, at least 1"""
    branching: int = 3
    """distinct successors of each state and action (b in the literature), in [1, S]"""
    N: int = 2
    """number of constraints, at least 0"""
    gamma: float = 0.9
    """discount, in [0, 1)"""
    seed: int = 1
    """which random instance is drawn (not the seed of the sampled episodes), at least 0"""
    tight: float = 0.5
    """thresholds from the cheapest policy (0) to the unconstrained optimum (1)"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class HazardGridConfig:
    """Options of ``zoo/HazardGrid-v0``."""

    n: int = 8
    """side of the square grid, at least 2"""
    gamma: float = 0.95
    """discount, in [0, 1)"""
    slip: float = 0.1
    """probability that the direction is drawn uniformly instead, in [0, 1]"""
    limit: float = 0.001
    """largest normalised share of steps spent in hazard cells, at least 0"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ConstrainedCatchConfig:
    """Options of ``zoo/ConstrainedCatch-v0``."""

    rows: int = 10
    """height R of the board, at least 2"""
    columns: int = 5
    """width C of the board, at least 2"""
    gamma: float = 0.97
    """discount, in [0, 1)"""
    theta: float = 0.6
    """least normalised share of time with the paddle in column 0, in [0, 1]"""
    observation: Literal["state", "grid"] = "state"
    """"state": the state's index; "grid": float32 planes [rows, columns, 2] of ball and paddle"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class TinyCompositeConfig:
    """Options of ``zoo/TinyComposite-v0``."""

    theta: tuple[float, float] = (0.4555, 0.4429)
    """thresholds of E r1 and E r2, each in [0, 1]; by default the joint proxy point"""
    sense: Literal[">=", "=="] = ">="
    """of both constraints"""


@dataclass(frozen=True, kw_only=True)
class CartPoleConfig:
    """Options of ``zoo/CartPole-v0``."""

    max_episode_steps: int | None = 500
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class TextCompositeConfig:
    """Options of ``zoo/TextComposite-v0``, which needs the extra ``zoo-envs[text]``."""

    language_model: str = "local"
    """"local", a tiny GPT-2 that is trained once; else a folder, or a name on the Hugging Face hub"""
    reward_models: tuple[str, ...] = ("ngram", "intent")
    """"ngram", "intent", "hf:<folder or name>", and those of the entry points zoo_envs.reward_models"""
    thresholds: Mapping[str, float] | None = None
    """of the mean scores by name of reward model; those not named have their own"""
    sense: Literal[">=", "=="] = ">="
    """of all constraints"""
    context: int = 3
    """utterances before the one to be written, at least 1"""
    context_tokens: int = 32
    """of them the last so many are read, at least 1"""
    new_tokens: int = 20
    """tokens after which an episode ends, at least 1"""
    top_k: int | None = None
    """only the reference's so many most probable tokens are possible, at least 2 (the paper: 20); None: all"""
    seed: int = 0
    """of the grammar and the local model (not of the sampled episodes), at least 0"""
    cache: str | None = None
    """folder of the local model; None: that of ZOO_ENVS_CACHE, or the user's for caches"""
    device: str = "cpu"
    """where the reference computes, as torch calls it"""


@dataclass(frozen=True, kw_only=True)
class TabularConfig:
    """Options of ``zoo/Tabular-v0``."""

    path: str = ""
    """model file, .npz or .json, with the keys P, r, c, b, sense, eq, rho, gamma and perhaps names"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class FourRoomsConfig:
    """Options of ``zoo/FourRooms-v0``. A cell is 11*row + column."""

    task: Literal["goal", "goals", "diminishing"] = "goal"
    """"goal": one goal ends the episode; "goals": hidden goals; "diminishing": rewards that shrink"""
    goal: int = 20
    """cell of the goal, of the first one in "goals"; the corner far from the start"""
    goal_reward: float | None = None
    """what arriving at the goal pays; None: 1 in "goal", 50 in "goals" """
    num_goals: int = 5
    """goals until an episode of "goals" ends, at least 1"""
    reset_goal: bool = True
    """whether in "goals" a goal that was found moves to another cell, uniformly; else it stays"""
    goals: tuple[int, ...] = (80, 24, 41)
    """cells that pay in "diminishing" """
    goal_rewards: tuple[float, ...] = (5.0, 10.0, 5.0)
    """what the first visits to them pay"""
    lam: float = 0.5
    """factor per visit in "diminishing", in [0, 1]"""
    count_start: bool = False
    """whether in "diminishing" beginning in a cell counts as a visit"""
    end_below: float | None = 0.1
    """an episode of "diminishing" ends when every remaining reward is below this; None: it does not end so"""
    gamma: float | None = None
    """discount, in [0, 1); None: 0.97 in "diminishing", else 0.95"""
    start: int | None = 100
    """first cell; None: uniform on the free cells that do not pay"""
    stay: bool = False
    """whether there is a fifth action that stays"""
    noise: float = 0.0
    """probability that the action is drawn uniformly from all instead, in [0, 1]"""
    wall_penalty: float | None = None
    """what moving against a wall costs, at least 0; None: 1 in "goals", else 0"""
    max_episode_steps: int | Literal["auto"] | None = "auto"
    """steps until an episode is truncated; "auto": 40 in "diminishing", else 75; None: never"""


@dataclass(frozen=True, kw_only=True)
class BasicGridConfig:
    """Options of ``zoo/BasicGrid-v0``. A cell is size*row + column."""

    size: int = 6
    """side of the grid, the walls at the border included, at least 3"""
    goals: tuple[int, ...] = (15,)
    """cells that pay"""
    goal_rewards: tuple[float, ...] = (1.0,)
    """what the first visits to them pay"""
    lam: float = 0.5
    """factor per visit, in [0, 1]"""
    count_start: bool = False
    """whether beginning in a cell counts as a visit"""
    end_below: float | None = None
    """the episode ends when every remaining reward is below this; None: it does not end so"""
    gamma: float = 0.9
    """discount, in [0, 1)"""
    start: int | None = 25
    """first cell; None: uniform on the free cells that do not pay"""
    stay: bool = False
    """whether there is a fifth action that stays"""
    noise: float = 0.0
    """probability that the action is drawn uniformly from all instead, in [0, 1]"""
    wall_penalty: float = 0.0
    """what moving against a wall costs, at least 0"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class TwoRoomsConfig:
    """Options of ``zoo/TwoRooms-v0``. A cell is 11*row + column."""

    goals: tuple[int, ...] = (12, 20, 67)
    """cells that pay"""
    goal_rewards: tuple[float, ...] = (10.0, 5.0, 5.0)
    """what the first visits to them pay"""
    lam: float = 0.5
    """factor per visit, in [0, 1]"""
    count_start: bool = False
    """whether beginning in a cell counts as a visit"""
    end_below: float | None = None
    """the episode ends when every remaining reward is below this; None: it does not end so"""
    gamma: float = 0.99
    """discount, in [0, 1)"""
    start: int | None = 108
    """first cell; None: uniform on the free cells that do not pay"""
    stay: bool = True
    """whether there is a fifth action that stays"""
    noise: float = 0.0
    """probability that the action is drawn uniformly from all instead, in [0, 1]"""
    wall_penalty: float = 0.0
    """what moving against a wall costs, at least 0"""
    max_episode_steps: int | None = 100
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class EscapeConfig:
    """Options of ``zoo/Escape-v0``."""

    size: int = 21
    """side of the square, the walls at the border included, at least 8, or 4 without a barrier"""
    barrier: bool = True
    """whether a wall stands halfway between the start and the shelter"""
    moves: Literal[4, 8] = 8
    """directions: up, right, down, left, and with 8 up-right, down-right, down-left, up-left"""
    goal_reward: float = 20.0
    """what arriving at the shelter pays"""
    reward_noise: float = 0.0
    """standard deviation of a normal number that is added to every reward, at least 0"""
    gamma: float = 0.99
    """discount, in [0, 1)"""
    noise: float = 0.0
    """probability that the action is drawn uniformly from all instead, in [0, 1]"""
    wall_penalty: float = 0.0
    """what moving against a wall costs, at least 0"""
    max_episode_steps: int | None = 200
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class RiverSwimConfig:
    """Options of ``zoo/RiverSwim-v0``."""

    variant: Literal["standard", "published"] = "standard"
    """"published": the chain of the public code of the first-occupancy paper, which differs in states 2 and 5"""
    left_reward: float = 5.0
    """for swimming left in state 0"""
    right_reward: float = 10000.0
    """for swimming right in the last state and staying there"""
    gamma: float = 0.95
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 5000
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class SixArmsConfig:
    """Options of ``zoo/SixArms-v0``."""

    probabilities: tuple[float, ...] = (1.0, 0.15, 0.1, 0.05, 0.03, 0.01)
    """of entering arms 1 to 6 by their actions, each in [0, 1]"""
    rewards: tuple[float, ...] = (50.0, 133.0, 300.0, 800.0, 1666.0, 6000.0)
    """for each step that stays in arms 1 to 6; some implementations pay 1660 in arm 5"""
    gamma: float = 0.95
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 5000
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ForagingPatchesConfig:
    """Options of ``zoo/ForagingPatches-v0``."""

    reward: float = 1.0
    """of the first harvest of a fresh patch"""
    lam: float = 0.7
    """factor per harvest, in [0, 1]"""
    travel: int = 5
    """steps from leaving a patch to being in the next one, at least 1"""
    max_harvests: int = 30
    """harvests until a patch gives nothing more, at least 1"""
    gamma: float = 0.99
    """discount, in [0, 1)"""
    max_episode_steps: int | None = 500
    """steps until an episode is truncated; None: never"""


@dataclass(frozen=True, kw_only=True)
class ICLExemplarsConfig:
    """Options of ``zoo/ICLExemplars-v0``. A split is (train, val, test), contiguous and in that order."""

    source: Literal["gaussian", "onehot", "file"] = "gaussian"
    """exemplars: normal around a normal mean for each class, unit vectors, or "features" [C,E,D] of an .npz file"""
    path: str = ""
    """the file of source "file" """
    class_split: tuple[int, int, int] = (50, 0, 100)
    """numbers of classes"""
    exemplar_split: tuple[int, int, int] = (1, 0, 0)
    """numbers of exemplars of each class"""
    dim: int = 64
    """dimension D of source "gaussian", at least 1"""
    sigma_w: float = 0.2
    """standard deviation within a class of source "gaussian", where a class has more than one exemplar"""
    noise: float = 0.0
    """standard deviation of normal noise that is fresh in every slot, at least 0"""
    seed: int = 1
    """which random exemplars and pairs of labels are drawn (not the seed of the sequences), at least 0"""
    context: int = 2
    """labelled slots N before the query, at least 1"""
    burstiness: int = 1
    """copies B of the query's class among them, at least 0"""
    p_bursty: float = 1.0
    """share of sequences with these copies; the others are drawn with B = 0"""
    distractor: bool = True
    """whether one other class has B copies too"""
    no_support: bool = False
    """whether the remaining slots avoid the query's class and the distractor's"""
    unique_rest: bool = False
    """whether the remaining slots hold distinct classes, neither of those two among them"""
    zipf_alpha: float = 0.0
    """training classes have p(rank r) proportional to r^-alpha; evaluation is uniform"""
    match_query_and_distractors: bool = False
    """whether all slots of the query's class, the query included, show one exemplar, and the distractor's another"""
    labels: Literal["relabel", "fixed", "mod"] = "relabel"
    """a random pair of labels for each sequence; the index of the class; that index modulo num_labels"""
    num_labels: int = 5
    """labels L of "relabel" (at least 2) and "mod" (at least 1)"""
    num_outputs: int | None = None
    """labels K that an answer may have, at least those in use; None: just those"""
    pair_split: tuple[int, int, int] = (8, 2, 0)
    """numbers of the L(L-1)/2 pairs of labels of "relabel" """


@dataclass(frozen=True, kw_only=True)
class ControlSuiteConfig:
    """Options of the ``zoo/DMC-<domain>-<task>-<constraint>-v0``."""

    threshold: float | None = None
    """bound of the signal's average over all steps; it has to be given"""
    sense: Literal["<=", ">=", "=="] = "<="
    """how that average must stand to the threshold"""
    max_episode_steps: int | None = 1000
    """control steps until an episode is truncated; None: never"""
