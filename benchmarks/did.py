"""Difference-in-differences beside its peers: CPU time, memory and the same numbers, in one run.

    python benchmarks/did.py [--peers PYTHON] [--rounds 3] [--write FILE]

Bars: group-time effects (50,000 units x 60 months, 10 cohorts, 40 % never treated, one covariate, doubly robust, event
study, one core) in at most 0.3 times the CPU time of diff-diff and under 0.9 GB; with 999 multiplier draws and
simultaneous bands 0.35 times and 1.2 GB; imputation on the same rows 0.7 times; a randomisation test with 999 draws and
interval, 63 x 120, under 0.5 s for every estimator that offers null scores (synthetic controls estimate anew); the
first call in a fresh process, 63 x 72, under 0.3 s after the import.

Every measurement is a process of its own on one core, after the imports (and, beside peers, a call on a small panel);
the peers take turns, and the ratio is the median over rounds. Bars are about CPU time, which other work on the machine
disturbs least. Times start from a checked panel, and from a plain table with text columns. Peers are in the extra
`peers`; `--peers` names another Python that has them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

UNITS, PERIODS, COHORTS, NEVER = 50_000, 60, 10, 0.4
DRAWS = 999
THREADS = ("OMP", "OPENBLAS", "MKL", "RAYON", "NUMEXPR", "NUMBA", "VECLIB_MAXIMUM")
BARS = {"group-time": (0.3, 0.9), "group-time with bands": (0.35, 1.2), "imputation": (0.7, None)}
RANDOMISED, FIRST = 0.5, 0.3
ANEW = ("SyntheticControl", "SyntheticDifference")  # estimated anew for every draw, so without a bar for 999 of them
Row = dict[str, Any]


# --- the panels -------------------------------------------------------------------------------------------------------


def make(folder: Path, units: int, periods: int, name: str) -> None:
    """Write the same panel as text (ours) and numbers (theirs), with the starts."""
    import numpy as np
    import pandas as pd

    from evaluation.data.periods import label, ordinal

    rng = np.random.default_rng(1)
    never = int(NEVER * units)
    first = np.linspace(periods // 6, 5 * periods // 6, COHORTS).astype(int)
    starts = rng.permutation(
        np.r_[np.full(never, -1), np.repeat(first, -(-(units - never) // COHORTS))[: units - never]]
    )
    x = rng.normal(size=units)
    treated = (starts >= 0)[:, None] & (np.arange(periods) >= starts[:, None])
    y = 20 + 0.01 * x[:, None] * np.arange(periods) + rng.normal(size=(units, 1)) + 0.1 * treated
    y += rng.normal(size=y.shape)
    labels = [label(ordinal("2015-01") + period, "month") for period in range(periods)]
    ids = [f"{unit:05d}" for unit in range(units)]
    ours = pd.DataFrame({"unit": np.repeat(ids, periods), "period": labels * units, "outcome": y.ravel()})
    ours["x"] = np.repeat(x, periods)
    ours.to_parquet(folder / f"{name}_text.parquet")
    theirs = pd.DataFrame(
        {"unit": np.repeat(np.arange(units), periods), "period": np.tile(np.arange(periods), units) + 1}
    )
    theirs["y"], theirs["x"] = ours["outcome"], ours["x"]
    theirs["start"] = np.repeat(np.where(starts >= 0, starts + 1, 0), periods)
    theirs.to_parquet(folder / f"{name}_numbers.parquet")
    since = {unit: labels[start] for unit, start in zip(ids, starts, strict=True) if start >= 0}
    (folder / f"{name}_since.json").write_text(json.dumps(since), encoding="utf-8")


def small_panel(periods: int, start: int) -> Any:
    """Return 63 areas, five with a measure, with a column of doses and one of other cases."""
    from dataclasses import replace

    import numpy as np

    from evaluation.simulate import simulate_panel

    panel = simulate_panel(1, shape=(63, periods), treated=["04", "20", "33", "47", "51"], start=start)
    rng = np.random.default_rng(1)
    dosed = panel.frame["unit"].isin(panel.study.treated) & (panel.frame["period"] >= panel.periods[start])
    hours = 10.0 * dosed * (1 + panel.frame["unit"].astype(int) % 3)
    return replace(panel, frame=panel.frame.assign(hours=hours, other=rng.poisson(80, len(panel.frame))))


# --- what is measured, each in a fresh process ------------------------------------------------------------------------


def ours(folder: Path, name: str, method: Any) -> Row:
    """Return times from frame and panel, and what came out."""
    import pandas as pd

    from evaluation import Panel, Study

    frame = pd.read_parquet(folder / f"{name}_text.parquet")
    since = json.loads((folder / f"{name}_since.json").read_text(encoding="utf-8"))
    begun = time.process_time()
    panel = Panel(frame, Study(id="s", outcome="y", event="e", treated_since=since))
    ready = time.process_time()
    table = method.estimate(panel).table
    done = time.process_time()
    row = table[table["event_time"] == 5].iloc[0] if "event_time" in table else table.iloc[0]
    return {
        "cpu": done - ready,
        "from_frame": done - begun,
        "estimate": float(row["estimate"]),
        "std_error": float(row["std_error"]),
    }


def our_group_time(folder: Path, name: str, *, bands: bool = False) -> Row:
    from evaluation import ClusterRobust, GroupTime, MultiplierBootstrap

    inference = MultiplierBootstrap(draws=DRAWS) if bands else ClusterRobust()
    return ours(
        folder, name, GroupTime(aggregation="dynamic", covariates=("x",), scale="additive", inference=inference)
    )


def their_group_time(folder: Path, name: str, *, bands: bool = False) -> Row:
    import pandas as pd
    from diff_diff import CallawaySantAnna

    frame = pd.read_parquet(folder / f"{name}_numbers.parquet")
    begun = time.process_time()
    method = CallawaySantAnna(estimation_method="dr", n_bootstrap=DRAWS if bands else 0, seed=1)
    fit = method.fit(frame, outcome="y", unit="unit", time="period", first_treat="start", covariates=["x"])
    table = fit.aggregate("event_study").to_dataframe()
    cpu = time.process_time() - begun
    row = table[table["event_time"] == 5].iloc[0]
    return {"cpu": cpu, "estimate": float(row["att"]), "std_error": float(row["se"])}


def our_imputation(folder: Path, name: str) -> Row:
    from evaluation import ClusterRobust, Imputation

    return ours(folder, name, Imputation(scale="additive", inference=ClusterRobust()))


def their_imputation(folder: Path, name: str) -> Row:
    import pandas as pd
    from diff_diff import ImputationDiD

    frame = pd.read_parquet(folder / f"{name}_numbers.parquet")
    begun = time.process_time()
    fit = ImputationDiD().fit(frame, outcome="y", unit="unit", time="period", first_treat="start")
    return {
        "cpu": time.process_time() - begun,
        "estimate": float(fit.overall_att),
        "std_error": float(fit.overall_se),
    }


WAYS: dict[str, tuple[Callable[[Path, str], Row], Callable[[Path, str], Row]]] = {
    "group-time": (our_group_time, their_group_time),
    "group-time with bands": (
        lambda folder, name: our_group_time(folder, name, bands=True),
        lambda folder, name: their_group_time(folder, name, bands=True),
    ),
    "imputation": (our_imputation, their_imputation),
}
METHODS: dict[str, dict[str, Any]] = {
    "TwoByTwo": {},
    "EventStudy": {},
    "TwoWayFixedEffects": {},
    "GroupTime": {},
    "GroupTime, dynamic": {"aggregation": "dynamic"},
    "Imputation": {},
    "PoissonCohorts": {},
    "SyntheticControl": {},
    "SyntheticDifference": {},
    "TripleDifference": {"against": "other"},
    "DoseResponse": {"dose": "hours"},
}


def options_of(key: str, **options: Any) -> tuple[Callable[..., Any], Row]:
    """Return the estimator of a key of METHODS, imported, and its options; an ImportError says that there is none."""
    import evaluation

    name = key.split(",")[0]
    if name not in evaluation.__all__:
        raise ImportError(f"evaluation has no {name}")
    return getattr(evaluation, name), {**METHODS[key], **options}


def randomised(key: str) -> Row:
    """Return the seconds of a test with interval by drawn assignments, the median of five after a first one."""
    from evaluation import Randomization

    panel = small_panel(120, 96)
    times = []
    for seed in range(1, 7):
        estimator, options = options_of(key, inference=Randomization(draws=DRAWS, enumerate_up_to=0, seed=seed))
        begun = time.perf_counter(), time.process_time()
        estimator(**options).estimate(panel)
        times.append((time.process_time() - begun[1], time.perf_counter() - begun[0]))
    cpu, wall = (statistics.median(column) for column in zip(*times[1:], strict=True))
    return {"cpu": cpu, "wall": wall}


def first_call(key: str) -> Row:
    """Return the seconds of the first estimate of this process, by default inference, after the imports."""
    panel = small_panel(72, 60)
    estimator, options = options_of(key)
    begun = time.perf_counter(), time.process_time()
    estimator(**options).estimate(panel)
    return {"cpu": time.process_time() - begun[1], "wall": time.perf_counter() - begun[0]}


def measure(task: str, side: str, folder: Path) -> Row:
    """Run one measurement in this process."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    warnings.simplefilter("ignore")  # what the peers say on the way
    if side == "randomised":
        return randomised(task)
    if side == "first":
        return first_call(task)
    way = WAYS[task][side == "theirs"]
    way(folder, "small")
    return way(folder, "large") | {"gigabytes": peak_memory()}


def peak_memory() -> float:
    """Return the peak memory of this process in GB."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e9 / 1024)


# --- the tables -------------------------------------------------------------------------------------------------------


def run(python: str, task: str, side: str, folder: Path) -> Row:
    """Measure in a fresh process on one thread; {"missing": why} where it cannot run."""
    environment = {**os.environ, **{f"{name}_NUM_THREADS": "1" for name in THREADS}, "POLARS_MAX_THREADS": "1"}
    if side != "theirs":
        environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [python, __file__, "--measure", task, side, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return {"missing": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def beside_peers(task: str, peers: str, rounds: int, folder: Path) -> list[str]:
    """Return the lines of one table: ours, theirs, ratio and bar."""
    pairs = []
    for _ in range(rounds):
        pairs.append((run(sys.executable, task, "ours", folder), run(peers, task, "theirs", folder)))
    lines = [
        f"### {task}",
        "",
        "| | CPU s | from frame s | peak GB | estimate | standard error |",
        "|---|---|---|---|---|---|",
    ]
    for name, side in (("evaluation", 0), ("diff-diff", 1)):
        rows = [pair[side] for pair in pairs]
        if "missing" in rows[0]:
            lines.append(f"| {name} | not measured: {rows[0]['missing']} | | | | |")
            continue
        cpu, frame = (statistics.median(row.get(key, row["cpu"]) for row in rows) for key in ("cpu", "from_frame"))
        peak, last = max(row["gigabytes"] for row in rows), rows[-1]
        numbers = f"{last['estimate']:.10f} | {last['std_error']:.10f}"
        lines.append(f"| {name} | {cpu:.2f} | {frame:.2f} | {peak:.2f} | {numbers} |")
    if not any("missing" in row for pair in pairs for row in pair):
        lines += ["", verdict(task, pairs)]
    return [*lines, ""]


def verdict(task: str, pairs: list[tuple[Row, Row]]) -> str:
    """Return one sentence: the ratios, and whether the bars are kept."""
    ratio, limit = BARS[task]
    ready = statistics.median(mine["cpu"] / other["cpu"] for mine, other in pairs)
    frame = statistics.median(mine["from_frame"] / other["cpu"] for mine, other in pairs)
    peak = max(mine["gigabytes"] for mine, _ in pairs)
    kept = ready <= ratio and (limit is None or peak <= limit)
    memory = f", memory {peak:.2f} GB (bar {limit})" if limit else ""
    times = f"Ratio {ready:.2f} from the ready panel, {frame:.2f} from the frame (bar {ratio})"
    return f"{times}{memory}: {'kept' if kept else 'MISSED'}."


def alone(side: str, title: str, bar: float, rounds: int, folder: Path) -> list[str]:
    """Return the lines of a table of the package alone, one row for each estimator."""
    lines = [f"### {title}", "", "| estimator | CPU s | wall s | |", "|---|---|---|---|"]
    for key in METHODS:
        rows = [run(sys.executable, key, side, folder) for _ in range(rounds)]
        if "missing" in rows[0]:
            lines.append(f"| {key} | not measured: {rows[0]['missing']} | | |")
            continue
        cpu, wall = (statistics.median(row[name] for row in rows) for name in ("cpu", "wall"))
        kept = "no bar" if side == "randomised" and key in ANEW else "kept" if cpu <= bar else "MISSED"
        lines.append(f"| {key} | {cpu:.3f} | {wall:.3f} | {kept} |")
    return [*lines, ""]


def main(arguments: list[str]) -> int:
    """Measure all sections, print them and write them; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=sys.executable, help="a Python that has the peers (default: this one)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, help="also write the tables to this Markdown file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, UNITS, PERIODS, "large")
        make(folder, 300, 30, "small")
        lines = [f"{UNITS:,} units x {PERIODS} months, {COHORTS} cohorts, one core, {options.rounds} rounds", ""]
        for task in WAYS:
            lines += beside_peers(task, options.peers, options.rounds, folder)
        for side, title, bar in (
            ("randomised", f"Randomisation, {DRAWS} draws with interval, 63 x 120", RANDOMISED),
            ("first", "First call in a fresh process, 63 x 72", FIRST),
        ):
            lines += alone(side, f"{title} (bar {bar} s)", bar, options.rounds, folder)
    text = "\n".join(lines)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return int("MISSED" in text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], Path(sys.argv[4]))))
    else:
        sys.exit(main(sys.argv[1:]))
