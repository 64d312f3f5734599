"""The default inference and the time until a first result, in fresh processes, side by side with ``import pandas``.

``python benchmarks/effects.py`` prints a table: medians of several runs, and ratios within the same run.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 7
FIRST_RESULT = """
import evaluation
from evaluation.simulate import simulate_panel
panel = simulate_panel(1, shape=(63, 72), treated=["04", "20", "33"], start=60)
evaluation.TwoByTwo().estimate(panel)
"""


def process(*arguments: str) -> float:
    """Return the wall seconds of a fresh Python with these arguments."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun


def randomisation() -> list[float]:
    """Return the seconds of randomisation tests with interval, 63 areas x 72 months, 999 draws."""
    from evaluation import Randomization, TwoByTwo
    from evaluation.simulate import simulate_panel

    times = []
    for seed in range(RUNS):
        panel = simulate_panel(seed, shape=(63, 72), treated=["04", "20", "33", "47", "51"], start=60)
        method = TwoByTwo(inference=Randomization(draws=999, enumerate_up_to=0))
        begun = time.perf_counter()
        method.estimate(panel)
        times.append(time.perf_counter() - begun)
    return times


def main() -> None:
    """Print the table."""
    commands = {
        "import pandas": ("-c", "import pandas"),
        "import evaluation": ("-c", "import evaluation"),
        "import, first panel and two by two": ("-c", FIRST_RESULT),
        "evaluation --help": ("-m", "evaluation", "--help"),
    }
    process("-c", "import pandas")  # fill the file cache
    rows = {name: [process(*arguments) for _ in range(RUNS)] for name, arguments in commands.items()}
    rows["randomisation test, 63 x 72, 999 draws, interval"] = randomisation()
    base = statistics.median(rows["import pandas"])
    print(f"{'what':52s} {'median s':>9s} {'min s':>7s} {'of import pandas':>17s}")
    for name, times in rows.items():
        middle = statistics.median(times)
        print(f"{name:52s} {middle:9.3f} {min(times):7.3f} {middle / base:17.2f}")


if __name__ == "__main__":
    main()
