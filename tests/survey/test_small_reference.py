"""The package against R survey on a small made-up data set that is part of the repository
(tests/reference/survey/recipe.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation import Change, Mean, Ratio, Sample, Share, SurveyDesign, Total
from evaluation.influence import contrast, covariance, degrees_of_freedom, joint_test

FOLDER = Path(__file__).parent.parent / "reference" / "survey"
RESULTS = json.loads((FOLDER / "small.json").read_text(encoding="utf-8"))
SMALL = pd.read_csv(FOLDER / "small.csv", dtype={"wave": str}).assign(
    part=lambda frame: frame["stratum"].map({"A": 0.3, "B": 0.5, "C": 0.2 / 3}), forty=40, fifty=50
)
FIRST = SMALL[SMALL["wave"] == "2021"]
THREE = FIRST[FIRST["stratum"] != "D"]

STAGES = ("block", "household", "person")
SIZES = ("blocks", "households", "persons")
DESIGNS = {
    "clusters": (THREE, SurveyDesign(psu="block", nest=True)),
    "one_stage": (THREE, SurveyDesign(psu="block", nest=True, fpc="blocks")),
    "fractions": (THREE, SurveyDesign(psu="block", nest=True, fpc="part")),
    "two_stage": (THREE, SurveyDesign(psu=STAGES[:2], nest=True, fpc=SIZES[:2], weights=None, lonely="adjust")),
    "three_stage": (THREE, SurveyDesign(psu=STAGES, nest=True, fpc=SIZES, weights=None, lonely="adjust")),
    "second_strata": (
        THREE,
        SurveyDesign(
            strata=("stratum", "district"), psu=STAGES[:2], nest=True, fpc=("forty", "fifty"), lonely="adjust"
        ),
    ),
    **{
        f"lonely_{lonely}": (FIRST, SurveyDesign(psu="block", nest=True, lonely=lonely))
        for lonely in ("adjust", "average", "remove", "certainty")
    },
}


def close(ours, theirs):
    # 1e-8, and R's results are stored with 15 digits.
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=1e-8)


def row(result, theirs):
    close(
        result.table.iloc[0][["estimate", "std_error", "df"]], [theirs[key] for key in ("estimate", "std_error", "df")]
    )


@pytest.fixture(params=DESIGNS)
def case(request):
    frame, design = DESIGNS[request.param]
    return Sample(frame, design), RESULTS[request.param]


def test_the_file_holds_every_design():
    assert set(RESULTS) == {*DESIGNS, "change", "intervals", "joint"}


def test_mean_total_ratio_and_share(case):
    sample, theirs = case
    row(Mean("age").estimate(sample), theirs["mean"])
    row(Mean("income").estimate(sample), theirs["mean_missing"])
    row(Total("age").estimate(sample), theirs["total"])
    row(Ratio("income", "age").estimate(sample), theirs["ratio"])
    row(Share("unsafe", (3, 4), scale=4).estimate(sample), theirs["share"])


def test_design_effect(case):
    sample, theirs = case
    close(Mean("age").estimate(sample).table["deff"], [theirs["deff"]])


def test_domains(case):
    sample, theirs = case
    row(Mean("age").estimate(sample.where(sample.frame["district"] == "north")), theirs["north"])
    row(Total("age").estimate(sample.where(sample.frame["district"] == "south")), theirs["south_total"])
    by = Mean("age", by="district").estimate(sample).row(district="north")
    close(by[["estimate", "std_error", "df"]], list(theirs["north"].values()))


def test_covariance(case):
    sample, theirs = case
    answered = sample.where(sample.frame["unsafe"].notna())
    share = answered.frame.assign(
        high=(answered.frame["unsafe"] >= 3).where(answered.frame["unsafe"].notna()).astype(float)
    )
    domain = Sample(share, sample.design).where(share["unsafe"].notna())
    close(covariance(Mean(("age", "high")).estimate(domain).influence).ravel(), theirs["covariance"])


def test_degrees_of_freedom_of_the_design(case):
    sample, theirs = case
    influence = Mean("age").estimate(sample).influence
    assert degrees_of_freedom(influence) == influence.df == theirs["mean"]["df"]


@pytest.mark.parametrize("overlap", [True, False])
def test_change_between_waves(overlap):
    design = SurveyDesign(psu="block", nest=True, wave="wave", overlap=overlap)
    sample = Sample(SMALL[SMALL["stratum"] != "D"], design)
    name = "overlap" if overlap else "independent"
    row(Change(Mean("age"), "2021", "2024").estimate(sample), RESULTS["change"][name])
    row(Change(Share("unsafe", (3, 4), scale=4), "2021", "2024").estimate(sample), RESULTS["change"][f"{name}_share"])


@pytest.mark.parametrize("interval", ["logit", "korn_graubard", "wald"])
def test_intervals_of_a_share(interval):
    sample = Sample(THREE[THREE["unsafe"].notna()], SurveyDesign(psu="block", nest=True))
    ours = Share("unsafe", (3, 4), scale=4, interval=interval).estimate(sample).table.iloc[0]
    close(ours[["conf_low", "conf_high"]], RESULTS["intervals"][interval])


def test_joint_test_of_two_differences():
    result = Mean("age", by="stratum").estimate(Sample(THREE, SurveyDesign(psu="block", nest=True)))
    differences = np.array([[-1, 1, 0], [-1, 0, 1]])
    wald, df = RESULTS["joint"]["wald"], RESULTS["joint"]["df"]
    test = joint_test(result, differences, df=df)
    close([test.statistic, test.df_numerator, test.df_denominator], [wald * (df - 1) / (2 * df), 2, df - 1])
    swapped = joint_test(contrast(result, differences), df=df)
    close([swapped.statistic, swapped.p_value], [test.statistic, test.p_value])
