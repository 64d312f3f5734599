"""The register of the sample project: the measures of the template, filled in for the simulated city."""

import tomllib
from dataclasses import replace

from evaluation.agreement.register import load_agreement, template_agreement
from evaluation.simulate.city import areas, model


def register(sample_project):
    declared = tomllib.loads((sample_project / "project.toml").read_text(encoding="utf-8"))
    outcomes = [*declared["outcomes"], *declared["items"]]
    keys = [area.key for area in areas()]
    return load_agreement(sample_project / "agreement.toml", areas=keys, outcomes=outcomes)


def test_titles_parts_and_indicators_are_those_of_the_template(sample_project):
    sample, template = register(sample_project), template_agreement()
    for key, measure in template.measures.items():
        filled = sample.measures[key]
        assert (filled.title, filled.kind, filled.lead) == (measure.title, measure.kind, measure.lead)
        bare = {
            name: replace(part, indicators={k: replace(i, planned={}) for k, i in part.indicators.items()})
            for name, part in filled.parts.items()
        }
        assert bare == measure.parts
    assert list(sample.measures) == list(template.measures)


def test_areas_are_those_of_the_simulation(sample_project):
    measures = register(sample_project).measures
    assert measures["A2"].areas == model()["patrols"]["areas"]
    assert measures["A6"].areas == {model()["nights"]["area"]: model()["nights"]["since"]}


def test_the_register_says_that_it_is_simulated(sample_project):
    note = register(sample_project).note
    assert note["de"].startswith("Simulierte Daten: ")
    assert note["en"].startswith("Simulated data: ")
