"""Sense of safety in the annual report: comparability, effects of measures, areas, older waves, several surveys."""

import shutil
from functools import cached_property

import numpy as np
import pandas as pd
import pytest

from evaluation import FayHerriot, ItemChange, MeasureDifference, ResponseBounds, Share, open_project
from evaluation.findings.answers import holm
from evaluation.report.annual import judgement
from evaluation.report.annual.perceived import perceived_situation, silent
from evaluation.report.annual.perceived_effects import detectable_words, only_alone, shares_words, takes, unjudged
from evaluation.report.blocks import FigureBlock, Heading, ListBlock, NoteBlock, Paragraph, TableBlock
from evaluation.report.context import Context
from evaluation.report.material.perceived import surveys
from evaluation.report.material.perceived_effects import perceived_effects
from tests.report.made import Words

AREA, PARK, CENTRE = "unsafe_night_area", "unsafe_night_park", "unsafe_night_centre"
ASKED = """
[[items.{item}.asked]]
survey = "safety"
wave = "{wave}"
wording = "{wording}"
scale = {scale}
modes = ["paper", "online"]
population = "ab 18 Jahren"
{more}
"""
FIVE = '["sehr sicher", "eher sicher", "teils", "eher unsicher", "sehr unsicher"]'
FOUR = '["sehr sicher", "eher sicher", "eher unsicher", "sehr unsicher"]'
KINDS = {AREA: ("same", FOUR), PARK: ("similar", FIVE), CENTRE: ("not_comparable", FIVE)}


def items_file():
    """The last wave is asked alike, similarly, and not comparably; victims only were asked whether they reported."""
    parts = []
    for item, (kind, scale) in KINDS.items():
        for wave in ("2018", "2021", "2024"):
            more = ""
            wording = "Wie sicher?"
            if wave == "2024" and kind != "same":
                wording = "Wie sicher dort?"
                more = f'comparable = "{kind}"\nreason = {{ de = "neue Frage", en = "new words" }}'
            parts.append(ASKED.format(item=item, wave=wave, wording=wording, scale=scale, more=more))
    return "".join(parts) + '[items.reported.asked_if]\ncolumn = "f9_opfer_zwoelf_monate"\ncodes = [1]\n'


class Told(Words):
    """Says sentences of a project with surveys, and counts."""

    def __init__(self, folder, year, language="de"):
        project = open_project(folder, year=year)
        context = Context(project=project, year=year, language=language)
        found = surveys(context)
        areas = dict(zip(project.table("areas")["area"], project.table("areas")["name"], strict=True))
        super().__init__(
            language,
            context=context,
            project=project,
            year=year,
            surveys=found,
            perceived=found[0] if found else None,
            areas=areas,
            measures=tuple(project.agreement.measures.values()),
        )

    def tally(self, id, **numbers):
        from evaluation.report.material.gather import Material

        return Material.tally(self, id, **numbers)

    @cached_property
    def perceived_effects(self):
        return perceived_effects(self.context, self.surveys)

    @cached_property
    def blocks(self):
        return perceived_situation(self)

    def perceived_effects_of(self, measure):
        return tuple(effect for effect in self.perceived_effects if effect.measure == measure.id)

    def effect(self, measure, item):
        return next(e for e in self.perceived_effects if (e.measure, e.item) == (measure, item))


def copied(sample_project, folder):
    """The sample project without its incidents, and without saying what was asked."""
    shutil.copytree(sample_project, folder, ignore=shutil.ignore_patterns("reports", "*vorfaelle*", "items.toml"))
    return folder


def edited(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def plain(sample_project, tmp_path_factory):
    return Told(copied(sample_project, tmp_path_factory.mktemp("plain") / "projekt"), 2024)


@pytest.fixture(scope="module")
def declared(sample_project, tmp_path_factory):
    """A project that says what was asked and how many answered."""
    folder = copied(sample_project, tmp_path_factory.mktemp("declared") / "projekt")
    (folder / "items.toml").write_text(items_file(), encoding="utf-8")
    for wave, rate in (("2018", 0.4), ("2024", 0.25)):
        old = f'"{wave}" = {{ date = "{wave}-10-01" }}'
        edited(folder / "project.toml", old, old.replace(" }", f", response_rate = {rate} }}"))
    return Told(folder, 2024)


def words_of(blocks):
    return [block.words for block in blocks if isinstance(block, Paragraph | NoteBlock)]


# --- effects ---


def test_effects_are_those_of_the_register_judged_together(plain):
    project = plain.project
    results = {item: MeasureDifference(measure="A2", item=item).estimate(project) for item in (AREA, PARK)}
    together = holm({item: result.row(term="effect")["p_value"] for item, result in results.items()})
    for item, result in results.items():
        effect = plain.effect("A2", item)
        row = result.row(term="effect")
        assert (effect.cell.value, effect.cell.conf_low) == (row["estimate"], row["conf_low"])
        assert effect.p_values.cell(what="together").value == together[item]
        assert effect.cell.cases == min(result.facts["answers_before"], result.facts["answers_after"])
        assert (effect.verdict == "established") == (together[item] <= 0.05)
    truth = -0.1069  # of truth.toml
    area = plain.effect("A2", AREA).cell
    assert area.conf_low < truth < area.conf_high


def test_what_could_be_found_stands_before_the_effect(plain):
    effect = plain.effect("A2", AREA)
    facts = MeasureDifference(measure="A2", item=AREA).estimate(plain.project).facts
    size = f"{100 * facts['detectable']:.1f}".replace(".", ",")
    assert detectable_words(plain, effect) == (
        f"Vor dem Ergebnis: In 6 Gebieten mit Maßnahme haben {facts['answers_before']} (2021) und "
        f"{facts['answers_after']} Menschen (2024) geantwortet. Damit würde eine Wirkung mit 80 % Wahrscheinlichkeit "
        f"erst ab etwa {size} Prozentpunkten erkannt."
    )


def test_a_result_that_only_holds_by_itself_says_so(plain):
    measure = plain.project.agreement.measures["A2"]
    for item in (AREA, PARK):
        effect = plain.effect("A2", item)
        own, joint = (effect.p_values.cell(what=what).value for what in ("own", "together"))
        said = only_alone(plain, measure, effect)
        assert bool(said) == (own <= 0.05 < joint)
        assert said in (
            "",
            "Für sich allein betrachtet wäre das Ergebnis statistisch gesichert. Zu dieser Maßnahme werden aber zwei "
            "Fragen geprüft, und unter mehreren Fragen fällt leichter eine durch Zufall auf. Berücksichtigt man das, "
            "ist es nicht gesichert.",
        )


def test_shares_carry_their_number_of_answers(plain):
    effect = plain.effect("A6", CENTRE)
    frame = plain.project.sample().frame
    item = plain.project.items[CENTRE]
    inside = frame["area"].eq("00") & frame["wave"].eq("2024") & frame[item.column].notna()
    assert f"nur {int(inside.sum())} Antworten" in shares_words(plain, effect)
    weights = frame.loc[inside, "weight"]
    share = (weights * frame.loc[inside, item.column].isin(item.unsafe)).sum() / weights.sum()
    assert effect.groups.cell(group="with", time="now").value == pytest.approx(share)


def test_one_area_cannot_be_judged_and_it_is_said_what_it_takes(plain):
    effect = plain.effect("A6", CENTRE)
    detectable = MeasureDifference(measure="A6", item=CENTRE).estimate(plain.project).facts["detectable"]
    assert effect.sentence("de") == (
        "Die Wirkung der Maßnahme (unsicher nachts im Zentrum) ist nicht beurteilbar, weil erst Änderungen ab etwa "
        f"{100 * detectable:.0f} Prozentpunkten erkennbar wären."
    )
    facts = effect.reach
    share = effect.groups.cell(group="with", time="before").value
    needed = 10 * np.ceil(facts.cell(what="after").value * (detectable / (0.23 * share)) ** 2 / 10)
    assert takes(plain, effect) == (
        f"Was es dafür bräuchte: Mindestens etwa {needed:.0f} Antworten je Befragung in diesen Gebieten (zuletzt "
        f"{facts.cell(what='after').value:.0f}), oder mehr Gebiete mit Maßnahme."
    )


def test_measures_without_areas_say_why_and_name_their_questions(plain):
    measure = plain.project.agreement.measures["D3"]
    assert unjudged(plain, measure) == (
        "D3 Gemeinsame Öffentlichkeitsarbeit (wenig oder kein Vertrauen in die Polizei und wenig oder kein Vertrauen "
        "in das Ordnungsamt): Die Wirkung auf das Sicherheitsgefühl ist nicht beurteilbar, weil nicht bekannt ist, in "
        "welchen Gebieten die Maßnahme wann begann. Was es dafür bräuchte: Gebiete und Beginn der Maßnahme. Eine "
        "Maßnahme, die überall zugleich beginnt, lässt sich mit Befragungen nicht von allem anderen trennen, was in "
        "dieser Zeit geschah.",
    )


def test_how_people_were_asked_lowers_the_reliability(plain):
    effect = plain.effect("A2", AREA)
    assert [check.code for check in effect.finding.grade.lowered] == ["asked"]
    assert effect.earlier_waves == ("2018", "2021")
    assert effect.grade == 2


def test_questions_that_cannot_be_compared_have_no_effect(declared):
    effect = declared.effect("A6", CENTRE)
    assert effect.effect is None
    assert effect.sentence("de") == (
        "Die Wirkung der Maßnahme (unsicher nachts im Zentrum) ist nicht beurteilbar, weil die Frage nicht beide Male "
        "vergleichbar gestellt wurde (2024: neue Frage)."
    )


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({}, "nicht beurteilbar"),
        ({"not_shown": -0.02}, "nicht nachgewiesen"),
        ({"established": -0.094}, "−9,4 Punkte"),
        ({"not_shown": -0.02, "established": -0.094}, "−9,4 Punkte (1 von 2 Fragen)"),
    ],
)
def test_the_column_of_page_one(plain, sizes, expected):
    from types import SimpleNamespace

    felt = [SimpleNamespace(verdict=kind, cell=SimpleNamespace(value=size)) for kind, size in sizes.items()]
    measure = SimpleNamespace(kind="effect")
    assert judgement._perceived_words(plain, measure, felt) == expected


# --- whether waves can be compared ---


def test_what_was_asked_decides_what_is_compared(declared):
    survey = declared.perceived
    assert {name: survey.alike.kinds[name] for name in KINDS} == {n: kind for n, (kind, _) in KINDS.items()}
    assert survey.alike.segments[CENTRE] == (("2018", "2021"), ("2024",))
    compared = set(survey.changes.frame["item"])
    assert CENTRE not in compared
    assert {AREA, PARK} <= compared
    assert CENTRE not in set(survey.pairs.frame["item"])
    expected = ItemChange(item=PARK, baseline="2018", wave="2024").estimate(declared.project)
    assert survey.changes.cell(item=PARK).value == expected.table["estimate"].iloc[0]
    said = " ".join(words_of(declared.blocks))
    assert "2018 und 2024 gleich gestellt: unsicher nachts im eigenen Ortsteil." in said
    assert "Ähnlich, nicht gleich gestellt (2024: neue Frage): unsicher nachts im nächsten Park." in said
    assert (
        "Nicht vergleichbar gestellt (2024: neue Frage): unsicher nachts im Zentrum; eine Änderung wird dafür nicht "
        "angegeben."
    ) in said


def test_lines_break_where_the_question_is_not_the_same(declared):
    (figure,) = (b for b in declared.blocks if getattr(b, "id", "") == "bild-sicherheitsgefuehl")
    assert figure.note.endswith("Unterbrochene Linien: Hier wurde die Frage anders gestellt.")


def test_without_declared_questions_that_is_said(plain):
    said = words_of(plain.blocks)
    assert (
        "Wie die Fragen 2018 und 2024 lauteten, ist nicht hinterlegt; verglichen wird, als wären sie gleich geblieben."
    ) in said


def test_modes_are_shown_as_they_were_used(plain):
    frame = plain.project.sample().frame
    last = frame[frame["wave"].eq("2024")]
    online = last.loc[last["mode"].eq("online"), "weight"].sum() / last["weight"].sum()
    assert plain.perceived.alike.modes.cell(mode="online", wave="2024").value == pytest.approx(online)
    said = next(words for words in words_of(plain.blocks) if "Papier" in words)
    assert said.startswith("So haben die Befragten geantwortet: online 15\xa0% (2018) und 73\xa0% (2024), auf Papier")


def test_the_composition_stands_beside_the_plain_change(plain):
    found = plain.perceived.alike.composition
    assert found.cell(item=AREA, term="change").value == pytest.approx(plain.perceived.changes.cell(item=AREA).value)
    assert found.cell(item=AREA, term="adjusted").value != found.cell(item=AREA, term="change").value
    table = next(b for b in plain.blocks if getattr(b, "id", "") == "zahlen-zusammensetzung")
    assert isinstance(table, TableBlock)
    assert len(table.rows) == len(plain.perceived.places)


def test_bounds_for_people_who_did_not_answer(declared, plain):
    item = declared.project.items[AREA]
    share = Share(item.column, tuple(item.unsafe), scale=item.scale)
    bounds = ResponseBounds(share, "2018", "2024", rates={"2018": 0.4, "2024": 0.25}).estimate(
        declared.project.sample()
    )
    found = declared.perceived.alike.bounds
    assert found.cell(item=AREA, term="apart_low").value == bounds.row(term="apart_low")["estimate"]
    assert found.cell(item=AREA, term="breakdown").value == bounds.facts["breakdown"]
    blocks = declared.blocks
    (said,) = (words for words in words_of(blocks) if words.startswith("Geantwortet haben"))
    assert said == (
        "Geantwortet haben 40\xa0% (2018) und 25\xa0% (2024) der Angeschriebenen. Unterschieden sich die übrigen "
        "jeweils um bis zu 10 Prozentpunkte von den Antwortenden, so läge die Änderung bei:"
    )
    lines = next(b for b in blocks if isinstance(b, ListBlock) and "könnte sie null sein" in b.items[0])
    assert all(line.endswith("Prozentpunkten könnte sie null sein.") for line in lines.items)
    assert not any("Zentrum" in line for line in lines.items)
    assert any("wurde nicht angegeben" in words for words in words_of(plain.blocks))


def test_questions_without_an_answer(declared, plain):
    frame = plain.project.sample().frame
    item = plain.project.items["reported"]
    last = frame[frame["wave"].eq("2024")]
    silent_share = (last["weight"] * last[item.column].isna()).sum() / last["weight"].sum()
    assert plain.perceived.alike.silent.cell(item="reported", wave="2024").value == pytest.approx(silent_share)
    asked = last[last["f9_opfer_zwoelf_monate"].eq(1)]
    among = (asked["weight"] * asked[item.column].isna()).sum() / asked["weight"].sum()
    assert declared.perceived.alike.silent.cell(item="reported", wave="2024").value == pytest.approx(among)
    assert silent(plain)[-1].notes[-1] == (
        "Nur einem Teil gestellt, ohne dass hinterlegt ist, wem: Straftat angezeigt (nur Opfer). Wer nicht gefragt "
        "wurde, zählt hier mit."
    )
    assert silent(declared)[-1].notes[-1] == (
        "Nur einem Teil gestellt, und nur dieser zählt: Straftat angezeigt (nur Opfer)."
    )


# --- areas ---


def test_areas_show_own_answers_where_they_suffice_and_a_modelled_value(plain):
    small, project = plain.perceived.small, plain.project
    item, sample = project.items[AREA], project.sample()
    share = Share(item.column, tuple(item.unsafe), scale=item.scale, by="area")
    direct = share.estimate(sample.where(sample.frame["wave"].eq("2024")))
    earlier = [
        share.estimate(sample.where(sample.frame["wave"].eq(wave))).table.set_index("area")["estimate"]
        for wave in ("2018", "2021")
    ]
    covariate = pd.DataFrame({"area": direct.table["area"]})
    covariate["earlier"] = covariate["area"].map((earlier[0] + earlier[1]) / 2)
    modelled = FayHerriot("area", covariates="earlier").estimate(direct, covariate).table.set_index("area")
    assert small.modelled.frame.set_index("area")["value"].to_dict() == pytest.approx(modelled["estimate"].to_dict())
    assert small.answers.cell(area="00").value == modelled.loc["00", "n"]
    assert small.direct.frame["suppressed"].equals(small.direct.frame["value"].isna())
    table = next(
        block.table
        for block in plain.blocks
        if isinstance(block, FigureBlock) and block.id == "bild-sicherheitsgefuehl-karte"
    )
    assert table.notes[0].startswith("Modellierte Anteile sind Schätzungen")
    assert len(table.rows) == 63


def test_too_few_answers_are_hidden_but_modelled(sample_project, tmp_path):
    folder = copied(sample_project, tmp_path / "projekt")
    edited(folder / "project.toml", "minimum_answers = 30", "minimum_answers = 45")
    small = surveys(Context(project=open_project(folder, year=2024), year=2024, language="de"))[0].small
    few = small.answers.frame["value"].lt(45).to_numpy()
    assert few.any()
    assert small.direct.frame["value"].isna().to_numpy().tolist() == few.tolist()
    assert small.modelled.frame["value"].notna().all()


# --- older waves, several surveys ---


def test_a_year_without_a_wave_draws_no_new_conclusion(sample_project):
    old = Told(sample_project, 2023)
    assert (old.perceived.latest, old.perceived.current) == ("2021", False)
    blocks = old.blocks
    assert isinstance(blocks[1], NoteBlock)
    assert blocks[1].words == (
        "2023 gab es keine Befragung; gezeigt ist die letzte, vom 01.10.2021. Daraus folgt nichts Neues."
    )
    finding, _ = judgement.perceived_finding(old, old.perceived)
    assert finding == "Das Sicherheitsgefühl steht hier nach der letzten Befragung (2021); 2023 gab es keine."
    assert old.effect("A2", AREA).sentence("de") == (
        "Die Wirkung der Maßnahme (unsicher nachts im eigenen Ortsteil) ist nicht beurteilbar, weil es seit dem Beginn "
        "noch keine Befragung mit dieser Frage gab."
    )


def test_two_surveys_stand_apart(sample_project, tmp_path, plain):
    folder = copied(sample_project, tmp_path / "projekt")
    path = folder / "data" / "befragung_simuliert.csv"
    first, *rows = path.read_text(encoding="utf-8-sig").splitlines()
    head = rows[0].replace("f1_nachts_im_ortsteil", "g1_nachts")
    other = [row.replace(";2018;", ";2019 B;").replace(";2021;", ";2023 B;") for row in rows[1:] if ";2024;" not in row]
    (folder / "data" / "buerger.csv").write_text("\n".join([first, head, *other[::2]]), encoding="utf-8-sig")
    parts = (
        '[[tables.respondents.parts]]\nfile = "data/befragung_simuliert.csv"\n'
        '[[tables.respondents.parts]]\nfile = "data/buerger.csv"\n'
    )
    old = '[tables.respondents]\nfile = "data/befragung_simuliert.csv"\n'
    source = 'source = { de = "simulierte Befragung", en = "simulated survey" }\n'
    edited(folder / "project.toml", old + source, "[tables.respondents]\n" + source + "\n" + parts)
    with (folder / "project.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[surveys.yearly]\ntitle = { de = "Bürgerumfrage", en = "municipal survey" }\n'
            'waves = { "2019 B" = { date = "2019-05-01" }, "2023 B" = { date = "2023-05-01" } }\n'
            '\n[items.yearly_night]\ntitle = { de = "unsicher nachts (Bürgerumfrage)", en = "unsafe at night" }\n'
            'column = "g1_nachts"\nscale = 4\nunsafe = [3, 4]\nplace = "neighbourhood"\ntime = "night"\n'
        )
    told = Told(folder, 2024)
    safety, yearly = told.surveys
    assert (safety.survey, safety.waves) == ("safety", ("2018", "2021", "2024"))
    assert (yearly.survey, yearly.title, yearly.waves) == ("yearly", "Bürgerumfrage", ("2019 B", "2023 B"))
    assert safety.changes.frame.equals(plain.perceived.changes.frame)  # the other survey changes nothing
    assert yearly.changes.id == "survey.change.yearly"
    assert (safety.current, yearly.current) == (True, False)
    blocks = told.blocks
    headings = [block.words for block in blocks if isinstance(block, Heading)]
    assert "Weitere Befragung: Bürgerumfrage" in headings
    ids = [block.id for block in blocks if getattr(block, "id", "")]
    assert len(ids) == len(set(ids))
