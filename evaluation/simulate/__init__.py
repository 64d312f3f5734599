"""Data with a known effect: for tests, teaching, power, and the sample project.

`simulate_counts` gives arrays, `simulate_panel` and `simulate_sample` what estimators take, `simulate.command` the
sample project. Nothing here looks at real offences. Loaded on first use: counts alone need nothing but numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluation.simulate.counts import simulate_counts
    from evaluation.simulate.panels import example_panel, simulate_panel, simulate_sample

_HOMES = {
    "example_panel": "panels",
    "simulate_counts": "counts",
    "simulate_panel": "panels",
    "simulate_sample": "panels",
}

__all__ = ["example_panel", "simulate_counts", "simulate_panel", "simulate_sample"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"evaluation.simulate.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
