"""Small panels that the tests of the diagnostics write down by hand."""

import numpy as np
import pandas as pd

from evaluation import Panel, Study


def panel_of(counts, treated_since, *, exposure=None, columns=None, neighbours=None, positions=None, **options):
    """Counts ``(N, T)`` of areas a, b, ... in the years from 2010 on; `columns` are further ``(N, T)`` arrays."""
    counts = np.asarray(counts, dtype=float)
    units = [chr(97 + number) for number in range(len(counts))]
    years = [str(2010 + number) for number in range(counts.shape[1])]
    frame = pd.DataFrame(
        {"unit": np.repeat(units, len(years)), "period": years * len(units), "outcome": counts.ravel()}
    )
    for name, values in {**(columns or {}), **({} if exposure is None else {"exposure": exposure})}.items():
        frame[name] = np.broadcast_to(np.asarray(values, dtype=float), counts.shape).ravel()
    declared = {"id": "s", "outcome": "o", "event": "e", "period": "year"} | options
    study = Study(treated_since=treated_since, exposure=exposure is not None, **declared)
    return Panel(frame, study, neighbours, positions)


def poisson_panel(seed=1, shape=(30, 12), treated_since=None, mean=60, effect=1.0, **options):
    """Independent Poisson counts of 26 areas or fewer; cases of the treated are multiplied by `effect`."""
    rng = np.random.default_rng(seed)
    since = treated_since or {"a": "2019", "b": "2019", "c": "2019"}
    expected = np.full(shape, float(mean)) * rng.uniform(0.5, 2.0, shape[0])[:, None]
    for unit, year in since.items():
        expected[ord(unit) - 97, int(year[:4]) - 2010 :] *= effect
    return panel_of(rng.poisson(expected), since, **options)


def line(number):
    """Areas in a row, each touching the next."""
    names = [chr(97 + position) for position in range(number)]
    return {
        name: frozenset(names[max(0, position - 1) : position] + names[position + 1 : position + 2])
        for position, name in enumerate(names)
    }
