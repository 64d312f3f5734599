"""Ten million incidents in a Parquet file become an area x month panel: the package beside a hand-written query.

Bars: at most 1.3 times the time of the hand-written DuckDB query in the same run, and under 500 MB of memory. Each
measurement is a process of its own, after the imports; the two take turns, so that a slow machine is slow for both.
``python benchmarks/panel.py [rows]``
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 10_000_000
ROUNDS = 5
AREAS = [f"{number:02d}" for number in range(63)]
CATEGORIES = ["899000", "220000"]
RATIO, MEMORY = 1.3, 500.0


def make(path: Path, rows: int) -> None:
    """Write incidents with six years of times, 63 areas, four categories; DuckDB's hash is the random number."""
    import duckdb

    query = f"""
        COPY (
            SELECT lpad(range::VARCHAR, 8, '0') AS incident_id,
                   TIMESTAMP '2019-01-01' + to_minutes((hash(range) % 3155760)::BIGINT) AS occurred_from,
                   lpad((hash(range * 7 + 1) % 63)::VARCHAR, 2, '0') AS area,
                   ['899000', '220000', '326*00', '------'][1 + (hash(range * 3 + 5) % 4)::BIGINT] AS category
            FROM range({rows})
        ) TO '{path.as_posix()}' (FORMAT parquet)
    """
    with duckdb.connect() as connection:
        connection.execute(query)


def by_package(path: Path) -> int:
    """Count with the package."""
    from evaluation.data.aggregate import incidents_to_counts

    counts, _ = incidents_to_counts(path, areas=AREAS, period="month", categories=CATEGORIES)
    return int(counts["count"].sum())


def by_hand(path: Path) -> int:
    """Count with the query that one would write, without gaps, unmatched areas and missing dates."""
    import duckdb

    query = f"""
        SELECT area, year(occurred_from) * 100 + month(occurred_from) AS period, count(*) AS count
        FROM read_parquet('{path.as_posix()}')
        WHERE category IN ('899000', '220000')
        GROUP BY ALL
    """
    with duckdb.connect() as connection:
        return int(connection.sql(query).df()["count"].sum())


WAYS = {"package": by_package, "by hand": by_hand}


def measure(way: str, path: Path) -> None:
    """Run one way and print time, peak memory and result; the modules are loaded before the clock starts."""
    import duckdb  # noqa: F401
    import narwhals  # noqa: F401
    import pandas  # noqa: F401

    import evaluation.data.aggregate  # noqa: F401

    start = time.perf_counter()
    total = WAYS[way](path)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "megabytes": peak_memory(), "total": total}))


def peak_memory() -> float:
    """Return the peak memory of this process in MB."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def main(rows: int = ROWS) -> int:
    """Measure both ways side by side, print a table; 1 where a bar is missed."""
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "incidents.parquet")
        make(path, rows)
        size = path.stat().st_size / 1e6
        for _ in range(ROUNDS):
            for way in WAYS:
                command = [sys.executable, __file__, "--measure", way, str(path)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                runs[way].append(json.loads(done.stdout))
    totals = {run["total"] for way in WAYS for run in runs[way]}
    if len(totals) != 1:
        raise SystemExit(f"the two ways do not agree: {sorted(totals)}")
    print(f"{rows:,} incidents, {size:.0f} MB Parquet, {ROUNDS} rounds, counted {int(totals.pop()):,}")
    print(f"{'':10}{'median s':>10}{'min s':>10}{'max s':>10}{'peak MB':>10}")
    for way, results in runs.items():
        seconds = [run["seconds"] for run in results]
        peak = max(run["megabytes"] for run in results)
        print(f"{way:10}{statistics.median(seconds):10.2f}{min(seconds):10.2f}{max(seconds):10.2f}{peak:10.0f}")
    ratio = statistics.median(
        ours["seconds"] / theirs["seconds"] for ours, theirs in zip(runs["package"], runs["by hand"], strict=True)
    )
    memory = max(run["megabytes"] for run in runs["package"])
    kept = ratio <= RATIO and not memory > MEMORY
    print(f"ratio {ratio:.2f} (bar {RATIO}), memory {memory:.0f} MB (bar {MEMORY:.0f}): {'kept' if kept else 'MISSED'}")
    return 0 if kept else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        sys.exit(main(*map(int, sys.argv[1:2])))
