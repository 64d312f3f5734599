"""One effect computed in other ways: the numbers are those of the diagnostics, and only what was declared counts."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation import Imputation, Panel, TwoByTwo
from evaluation.diagnostics import at_larger_units, without_neighbours
from evaluation.disclosure import About
from evaluation.report.annual.specifications import dependence
from evaluation.report.annual.specifications import specifications as blocks_of
from evaluation.report.blocks import FigureBlock, NoteBlock, Paragraph
from evaluation.report.material import specifications as routes
from evaluation.simulate import example_panel
from tests.report.made import ABOUT, Words, alone, context, effect, published

MAIN = TwoByTwo(before=3, after=1)
OTHER = TwoByTwo(before=2, after=1)
SPECIFICATIONS = About(id="study.x.specifications", unit="change", source="Polizei")


def districts(panel: Panel) -> dict[str, str]:
    return {unit: f"B{(int(unit) - 1) // 9}" for unit in panel.units}


def changed(panel: Panel, **fields) -> Panel:
    return replace(panel, study=replace(panel.study, **fields))


@pytest.mark.parametrize(
    ("leave_out", "name", "row"),
    [("none", "without_neighbours", "without_neighbours"), ("neighbours", "with_neighbours", "all")],
)
def test_rows_beside_the_declared_ones_are_those_of_the_diagnostics(leave_out, name, row):
    panel = changed(example_panel(), leave_out=leave_out)
    estimates, parents = MAIN.estimate(panel), districts(panel)
    found = routes.specifications(context(sensitivities=(OTHER,), districts=parents), panel, MAIN, estimates)
    assert list(found.rows) == ["declared", "other_1", name, "districts", "unadjusted"]
    assert found.rows["declared"]["value"] == np.expm1(estimates.row(term="effect")["estimate"])
    assert found.rows["other_1"]["value"] == np.expm1(OTHER.estimate(panel).row(term="effect")["estimate"])
    assert found.rows["unadjusted"]["value"] == np.expm1(estimates.row(term="unadjusted")["estimate"])
    beside = without_neighbours(panel, MAIN).row(comparison=row)
    assert found.rows[name] == routes.relative(beside)
    whole = changed(panel, leave_out="none")  # at this level nearly all touch
    assert found.rows["districts"] == routes.relative(at_larger_units(whole, MAIN, parents).row(units="larger"))
    assert list(found.others) == ["other_1"]


def test_only_what_was_declared_is_a_sensitivity_of_the_verdict():
    names = ["declared", "other_1", "other_2", "with_neighbours", "without_neighbours", "districts", "unadjusted"]
    assert [name for name in names if routes.fixed_beforehand(name)] == ["declared", "other_1", "other_2"]


def test_what_cannot_be_computed_is_said_in_the_table():
    panel = example_panel()
    tried = context(sensitivities=(TwoByTwo(before=30, after=1),))
    found = routes.specifications(tried, panel, MAIN, MAIN.estimate(panel))
    assert found.rows["other_1"] is None
    assert list(found.declared) == ["declared"]
    shown = routes.published(found, tried, SPECIFICATIONS, cases=900)
    assert shown.cell(specification="other_1").note == "report.note.not_estimated"
    labels = routes.labels(found, panel, "de")
    assert labels["other_1"] == "Ebenfalls vorab festgelegt: 30 Jahre vorher, ein Jahr nachher"
    study = effect(specifications=shown, p_values=None, labels=labels, districts=None)
    (picture,) = blocks_of(Words(), study)
    words = [[cell.words for cell in row] for row in picture.table.rows]
    assert ["Ebenfalls vorab festgelegt: 30 Jahre vorher, ein Jahr nachher", "…", "–"] in words
    assert "a) lässt sich mit den vorliegenden Daten nicht berechnen" in picture.table.notes


def test_without_map_and_districts_only_the_unadjusted_row_is_added():
    panel = replace(example_panel(), neighbours=None)
    found = routes.specifications(context(), panel, MAIN, MAIN.estimate(panel))
    assert list(found.rows) == ["declared", "unadjusted"]


def test_cases_are_compared_as_ratios_in_the_rows_beside_them():
    panel = example_panel()
    levels = replace(MAIN, scale="levels")
    found = routes.specifications(context(districts=districts(panel)), panel, levels, levels.estimate(panel))
    assert list(found.rows) == ["without_neighbours", "districts"]
    ratio = without_neighbours(panel, MAIN).row(comparison="without_neighbours")
    assert found.rows["without_neighbours"] == routes.relative(ratio)


def test_few_cases_hide_every_row():
    panel = example_panel()
    found = routes.specifications(context(), panel, MAIN, MAIN.estimate(panel))
    shown = routes.published(found, context(), SPECIFICATIONS, cases=4)
    assert shown.frame["value"].isna().all()


def test_p_values_of_all_that_have_one_and_the_smallest():
    panel = example_panel()
    estimates = MAIN.estimate(panel)
    found = routes.specifications(context(), panel, MAIN, estimates)
    shown = routes.p_values(found, context(), replace(ABOUT, id="study.x.p_value", unit="p_value"))
    assert shown.frame["specification"].tolist() == ["declared", "without_neighbours", "smallest"]
    assert shown.cell(specification="smallest").value == estimates.facts["smallest_p"]


def test_districts_thin_an_effect_out_and_small_rests_are_hidden():
    panel = example_panel()
    parents = districts(panel)
    asked = context(districts=parents)
    found = routes.specifications(asked, panel, MAIN, MAIN.estimate(panel))
    thin = routes.diluted(found, asked, panel, replace(ABOUT, id="study.x.districts"))
    result = at_larger_units(panel, MAIN, parents)
    assert thin.share.cells()[0].value == result.facts["treated_share"]
    assert thin.effect.cells()[0].value == np.expm1(result.row(units="diluted")["estimate"])
    assert thin.numbers.cell(what="all").value == 7
    inside = {parents[unit] for unit in panel.study.treated}
    rest = [unit for unit in panel.units if parents[unit] in inside and unit not in panel.study.treated]
    frame = panel.frame.assign(outcome=panel.frame["outcome"].where(~panel.frame["unit"].isin(rest), 0.0))
    frame.loc[(frame["unit"] == rest[0]) & (frame["period"] == frame["period"].min()), "outcome"] = 3.0
    few = replace(panel, frame=frame)
    found = routes.specifications(asked, few, MAIN, MAIN.estimate(few))
    thin = routes.diluted(found, asked, few, replace(ABOUT, id="study.x.districts"))
    assert thin.share.cells()[0].suppressed
    assert thin.effect.cells()[0].suppressed


def test_an_area_without_a_district_leaves_districts_out():
    panel = example_panel()
    parents = districts(panel)
    parents.pop(panel.units[0])
    found = routes.specifications(context(districts=parents), panel, MAIN, MAIN.estimate(panel))
    assert "districts" not in found.rows
    assert routes.diluted(found, context(districts=parents), panel, ABOUT) is None


def test_labels_say_what_was_fixed_beforehand():
    panel = example_panel()
    methods = (OTHER, replace(MAIN, scale="levels"), Imputation())
    found = routes.specifications(context(districts=districts(panel)), panel, MAIN, MAIN.estimate(panel))
    named = {"declared": MAIN, **{f"other_{number}": method for number, method in enumerate(methods, start=1)}}
    labels = routes.labels(replace(found, methods=named), panel, "de")
    assert labels == {
        "declared": "Vorab festgelegt: 3 Jahre vorher, ein Jahr nachher",
        "other_1": "Ebenfalls vorab festgelegt: 2 Jahre vorher, ein Jahr nachher",
        "other_2": "Ebenfalls vorab festgelegt: 3 Jahre vorher, ein Jahr nachher (in Fällen gerechnet)",
        "other_3": "Ebenfalls vorab festgelegt: alle Zeitabschnitte (Fortschreibung ohne Maßnahme)",
        "without_neighbours": "Ohne Nachbargebiete im Vergleich",
        "districts": "Nach Stadtbezirken gerechnet",
        "unadjusted": "Ohne Bereinigung",
    }


# --- in the report ---


def several(**rows) -> dict:
    """Return an effect under these specifications: change and p-value."""
    shown = published("change", "specifications", **{n: [c, np.nan, np.nan, p] for n, (c, p) in rows.items()})
    frame = shown.frame.rename(columns={"what": "specification"})
    return {"specifications": replace(shown, frame=frame, keys=("specification",)), "p_values": None, "districts": None}


def test_rows_that_inform_do_not_make_the_answer_depend():
    agreeing = several(declared=(-0.14, 0.03), other_1=(-0.12, 0.04), districts=(-0.03, 0.6), unadjusted=(-0.2, np.nan))
    study = effect(**agreeing, labels={})
    assert dependence(Words(), study, "short") == ""
    (picture,) = blocks_of(Words(), study)
    assert isinstance(picture, FigureBlock)
    assert picture.finding.replace("\N{NO-BREAK SPACE}", " ") == (
        "Alle zwei vorab festgelegten Rechenwege führen zur selben Antwort; alle Schätzungen reichen von −20,0 % bis "
        "−3,0 %."
    )


def test_declared_specifications_that_disagree_are_warned_of():
    study = effect(**several(declared=(-0.14, 0.03), other_1=(-0.12, 0.4), districts=(-0.03, 0.6)), labels={})
    picture, warning = blocks_of(Words(), study)
    assert picture.finding.replace("\N{NO-BREAK SPACE}", " ") == (
        "Bei einem der zwei vorab festgelegten Rechenwege ist die Änderung nicht statistisch gesichert; "
        "alle Schätzungen "
        "reichen von −14,0 % bis −3,0 %."
    )
    assert isinstance(warning, NoteBlock)


def test_a_single_declared_specification_is_named_as_such():
    study = effect(**several(declared=(-0.14, 0.03), unadjusted=(-0.2, np.nan)), labels={})
    assert blocks_of(Words(), study)[0].finding.replace("\N{NO-BREAK SPACE}", " ") == (
        "Je nach Rechenweg reichen die Schätzungen von −20,0 % bis −14,0 %; vorab festgelegt war einer davon."
    )


@pytest.mark.parametrize(
    ("treated", "start"),
    [(5, "Diese Gebiete liegen in 5 von 10 Stadtbezirken"), (1, "Diese Gebiete liegen in einem von 10 Stadtbezirken")],
)
def test_districts_in_words(treated, start):
    thin = routes.Diluted(
        numbers=published("number", "n", all=10, treated=treated),
        share=alone(0.41, "share"),
        effect=alone(-0.057),
    )
    shown = several(declared=(-0.14, 0.03), districts=(-0.08, 0.04)) | {"districts": thin}
    (_, remark) = blocks_of(Words(), effect(**shown, labels={}))
    assert isinstance(remark, Paragraph)
    assert remark.words.replace("\N{NO-BREAK SPACE}", " ") == (
        f"{start}, auf sie entfallen dort 41 % der Fälle; in den Zahlen ganzer Stadtbezirke wäre die Änderung (mit "
        "Nachbargebieten im Vergleich) nur als −5,7 % zu sehen."
    )


def test_nothing_is_drawn_where_all_is_hidden():
    hidden = several(declared=(np.nan, np.nan), unadjusted=(np.nan, np.nan))
    assert blocks_of(Words(), effect(**hidden, labels={})) == []
    assert blocks_of(Words(), effect(specifications=None)) == []
