"""Options of mdl-c-sac, in a module of their own because those of SAC come from zoo-sb3, which is optional."""

from __future__ import annotations

from dataclasses import dataclass

from zoo_sb3.config.soft_actor import SACConfig

from zoo import UsageError
from zoo_mdl_c.offpolicy.config import OffPolicyOptions

__all__ = ["MDLCSACConfig"]


@dataclass(frozen=True, kw_only=True)
class MDLCSACConfig(OffPolicyOptions, SACConfig):
    """Options of mdl-c-sac: those of sac, without its temperature, and MDL-C's."""

    default_arch: tuple[int, ...] = (64, 64)
    """units of each hidden layer of the default; none: linear in the observation"""
    default_lr: float = 0.001
    """step size of the default's Adam"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        self._check()
        for name, plain in (("ent_coef", "auto"), ("target_entropy", "auto"), ("use_sde", False)):
            if getattr(self, name) != plain:
                raise UsageError(
                    f"{name} = {getattr(self, name)}: mdl-c-sac has no entropy bonus; its alpha weights the divergence."
                )
        if self.n_steps != 1:
            raise UsageError(f"n_steps = {self.n_steps}: expected 1, because every step has a divergence penalty.")
