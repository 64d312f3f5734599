"""The report says what makes a result less certain, in the words that a reader meets first."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation.disclosure import About, Rules, publish
from evaluation.report import start
from evaluation.report.annual import judgement
from evaluation.report.annual.specifications import dependence
from evaluation.report.material.specifications import DECLARED
from tests.report.made import Words


def _effect(*pairs: tuple[float, float]) -> SimpleNamespace:
    """Return an effect with these changes and p-values, the declared one first."""
    names = [DECLARED, *(f"other_{number}" for number in range(1, len(pairs)))]
    frame = pd.DataFrame(pairs, columns=["value", "p_value"]).assign(specification=names)
    about = About(id="study.x.specifications", unit="change", source="Polizei")
    published = publish(frame, Rules(), about=about, keys=("specification",), basis="services")
    return SimpleNamespace(specifications=published, finding=SimpleNamespace(verdict=SimpleNamespace(level=0.05)))


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (
            [(0.161, 0.01), (0.106, 0.2), (0.12, 0.04), (0.11, 0.3)],
            "Bei zwei der vier Rechenwege ist die Änderung nicht statistisch gesichert.",
        ),
        ([(0.161, 0.01), (0.106, 0.2)], "Bei einem der zwei Rechenwege ist die Änderung nicht statistisch gesichert."),
        ([(0.161, 0.01), (-0.2, 0.01)], "Andere Rechenwege führen zur entgegengesetzten Antwort."),
        ([(0.161, 0.01), (0.106, 0.02)], ""),
        ([(0.161, 0.1), (-0.106, 0.2)], ""),
    ],
)
def test_specifications_that_disagree_are_counted(pairs, said):
    assert dependence(Words(), _effect(*pairs), "short") == said


def test_page_one_calls_noise_noise():
    """Counts that differ by less than both intervals allow are within the usual fluctuation."""
    rows = [("a", "before", 100.0), ("a", "now", 98.0), ("b", "before", 100.0), ("b", "now", 60.0)]
    frame = pd.DataFrame(rows, columns=["outcome", "time", "value"])
    frame["conf_low"], frame["conf_high"] = frame["value"] * np.exp(-0.1), frame["value"] * np.exp(0.1)
    about = About(id="summary.registered", unit="cases_per_1000", source="Polizei")
    both = publish(frame, Rules(), about=about, keys=("outcome", "time"), basis="services")
    assert judgement._ways(both) == {"less": ["b"], "usual": ["a"]}


def test_entries_agreed_are_no_main_indicator(sample_project):
    material = start(project=str(sample_project), year=2024, language="de")
    calculations = {
        indicator.id: indicator.calculation for _, indicator in material.project.agreement.measures["A6"].indicators
    }
    assert calculations["entries"] in judgement.AGREED_ONLY
    assert calculations["carried_out"] not in judgement.AGREED_ONLY
