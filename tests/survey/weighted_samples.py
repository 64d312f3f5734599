"""Made-up respondents and margins that several tests of weighting and replicates use."""

from pathlib import Path

import numpy as np
import pandas as pd

from evaluation import Calibrate, PostStratify, Rake, Sample, SurveyDesign

PEOPLE = pd.read_csv(Path(__file__).parent.parent / "reference" / "survey_models.csv", dtype={"district": str}).assign(
    age=lambda frame: frame["age"].fillna(50), psu=lambda frame: frame["stratum"] + frame["block"].astype(str)
)
CLUSTERS = SurveyDesign(psu="block", fpc="blocks", nest=True)

SEX = {0: 5400, 1: 6035.85}
AREA = {"00": 4200, "01": 2600, "10": 2700, "11": 1935.85}
CELLS = pd.Series(
    [1900, 1300, 1200, 1000, 2300, 1300, 1500, 935.85],
    index=pd.MultiIndex.from_product([[0, 1], ["00", "01", "10", "11"]]),
)
BOTH = {"female": SEX, "district": AREA}
AGED = {"age": 605000}
BOUNDS = (0.9, 1.2)

STEPS = {
    "post_one": (PostStratify("female", SEX),),
    "post_two": (PostStratify(("female", "district"), CELLS),),
    "raking": (Rake(BOTH),),
    "linear": (Calibrate(BOTH, totals=AGED),),
    "linear_bounded": (Calibrate(BOTH, totals=AGED, bounds=BOUNDS),),
    "raking_bounded": (Calibrate(BOTH, totals=AGED, method="raking", bounds=BOUNDS),),
    "logit": (Calibrate(BOTH, totals=AGED, method="logit", bounds=(0.6, 1.6)),),
    "chain": (PostStratify("female", SEX), Rake(BOTH)),
}


def people(frame: pd.DataFrame = PEOPLE, design: SurveyDesign = CLUSTERS, *steps: object) -> Sample:
    """Return the sample after some steps."""
    sample = Sample(frame, design)
    for step in steps:
        sample = step.apply(sample)
    return sample


def close(ours: object, theirs: object, tolerance: float = 1e-8) -> None:
    """Compare to eight digits; R's results are stored with 15."""
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=tolerance)
