"""The comparisons behind a test, in classes: all are counted, on the right side, and none where there are none."""

import numpy as np
import pytest

from evaluation import ClusterRobust, EstimationError, TwoByTwo
from evaluation.diagnostics import without_measure
from evaluation.simulate import example_panel

METHOD = TwoByTwo(before=3, after=1)


def test_every_comparison_is_counted_once_in_its_class():
    result = METHOD.estimate(example_panel())
    shown, drawn = without_measure(result), np.expm1(result.draws.values[1:, 0])
    assert shown["value"].sum() == len(drawn) == result.facts["assignments"] - 1
    inner = shown.iloc[1:-1]
    for row in inner.itertuples():
        assert row.value == ((drawn >= row.low) & (drawn < row.high)).sum()
    assert shown["low"].to_numpy() == pytest.approx(-shown["high"].to_numpy()[::-1])
    assert (shown["high"] - shown["low"]).to_numpy() == pytest.approx(shown["high"].iloc[0] - shown["low"].iloc[0])


def test_cases_derived_from_the_ratio_have_the_same_comparisons():
    panel = example_panel()
    levels = TwoByTwo(before=3, after=1, scale="levels").estimate(panel)
    assert without_measure(levels).equals(without_measure(METHOD.estimate(panel)))


def test_results_without_comparisons_are_refused():
    panel = example_panel()
    with pytest.raises(EstimationError) as caught:
        without_measure(TwoByTwo(before=3, after=1, inference=ClusterRobust()).estimate(panel))
    assert caught.value.worded("de") == (
        "TwoByTwo: Das Ergebnis bringt keine Vergleiche mit Gebieten und Jahren ohne Maßnahme mit. "
        "Abhilfe: Die Zufallszuordnung verwenden (inference weglassen)."
    )
    with pytest.raises(EstimationError) as caught:
        without_measure(TwoByTwo(before=3, after=1, scale="additive").estimate(panel))
    assert caught.value.worded("de") == (
        "TwoByTwo liefert kein Verhältnis; nebeneinander stehen hier Änderungen in Prozent. "
        'Abhilfe: scale = "ratio" setzen.'
    )
