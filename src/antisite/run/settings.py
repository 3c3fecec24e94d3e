"""Every setting of a run, with its default."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user may choose.

    Parameters
    ----------
    fdr : expected share of false defects among those reported.
    min_dark : least loss of brightness, as a share of the column's.
    min_bright : least gain of brightness, as a share of the column's.
    seed : of everything random.
    """

    fdr: float = 0.05
    min_dark: float = 0.25
    min_bright: float = 0.30
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.fdr < 1:
            raise InputError(f"fdr must lie between 0 and 1, got {self.fdr:g} (5 % is 0.05)")
        for name in ("min_dark", "min_bright"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be 0 or more, got {getattr(self, name):g} (30 % is 0.3)")
        if self.seed < 0:
            raise InputError(f"seed must be 0 or more, got {self.seed}")
