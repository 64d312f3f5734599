"""What stands under an effect: which inference was used, what makes it doubtful, and studies that have no effect."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from evaluation.report import start
from evaluation.report.annual.effects import effect_blocks, effects_by_measure
from evaluation.report.blocks import NoteBlock, Paragraph
from evaluation.report.material import effects
from evaluation.texts import text
from tests.report.made import Words

STUDY = "patrols_bodily_harm"


def computed(sample_project: Path, folder: Path, *, method: str):
    """Return one effect of the sample project under another method, and one who words it."""
    shutil.copytree(sample_project, folder, ignore=shutil.ignore_patterns("reports"))
    for path in (folder / "studies").iterdir():
        if path.stem != STUDY:
            path.unlink()
    path = folder / "studies" / f"{STUDY}.toml"
    written = path.read_text(encoding="utf-8")
    path.write_text(written[: written.index("[method]")] + method, encoding="utf-8")
    context = start(project=str(folder), year=2024, language="de")
    (effect,) = effects.effects(context)
    words = Words(project=context.project, context=context, areas={}, effects=(effect,), perceived=None)
    return effect, words


@pytest.fixture(scope="module")
def asymptotic(sample_project, tmp_path_factory):
    method = '[method]\nclass = "TwoByTwo"\nbefore = 24\nafter = 12\ninference = { class = "ClusterRobust" }\n'
    return computed(sample_project, tmp_path_factory.mktemp("asymptotic") / "projekt", method=method)


def test_an_asymptotic_interval_with_few_areas_carries_its_note(asymptotic):
    effect, words = asymptotic
    blocks = effect_blocks(words, effect)
    warnings = [block.words for block in blocks if isinstance(block, NoteBlock) and block.kind == "warning"]
    assert text("core.note.asymptotic_few_treated", "de", treated=6) in warnings
    assert warnings[0] == (
        "Bei 6 Gebieten mit Maßnahme ist dieser Standardfehler zu klein; der Vergleich mit Gebieten und Jahren ohne "
        "Maßnahme ist verlässlicher."
    )


def test_which_inference_was_asked_for_stands_under_the_effect(asymptotic):
    effect, words = asymptotic
    (small,) = [
        b.words for b in effect_blocks(words, effect) if isinstance(b, Paragraph) and "Für Fachleute" in b.words
    ]
    p_value = effect.p_values.cell(specification="declared").value
    assert small.startswith(f"Für Fachleute: p-Wert {p_value:.3f}; Irrtumsgrenze 5".replace(".", ","))
    assert small.endswith("Wie vorab festgelegt, stammt der Bereich aus einem Standardfehler nach Gebieten.")
    assert effect.false_alarms is None  # that test was not used
    assert effect.distribution is None


def test_how_many_areas_are_compared_is_known_without_assignments(asymptotic):
    effect, _ = asymptotic
    assert effect.reach.cell(what="treated").value == 6
    assert effect.reach.cell(what="comparison").value == 35
    assert effect.labels["declared"] == "Vorab festgelegt: 24 Monate vorher, 12 Monate nachher"


def test_without_a_survey_that_asks_it_is_said_once_that_reporting_is_unknown(asymptotic):
    effect, words = asymptotic
    measures = tuple(words.project.agreement.measures.values())
    known = {"measures": measures, "effects_of": lambda measure: [effect] if measure.id == "A2" else []}
    known |= {"perceived_effects": (), "perceived_effects_of": lambda _: ()}
    said = text("report.effects.reporting_unknown", "de")

    def shown(perceived) -> int:
        fields = {**vars(words), **known, "perceived": perceived}
        blocks = effects_by_measure(Words(**fields))
        return sum(block.words == said for block in blocks if isinstance(block, Paragraph))

    assert shown(None) == 1
    assert shown(SimpleNamespace(titles={"unsafe": "unsicher"})) == 1
    assert shown(SimpleNamespace(titles={"reported": "angezeigt"})) == 0


def test_a_study_whose_method_has_no_single_effect_is_a_gap(sample_project, tmp_path):
    effect, words = computed(sample_project, tmp_path / "projekt", method='[method]\nclass = "EventStudy"\n')
    assert effect.verdict == "not_assessable"
    gap = effect_blocks(words, effect)[-1]
    assert (gap.kind, gap.subject) == ("gap", STUDY)
    assert gap.words.startswith("EventStudy liefert keine einzelne Wirkung über die ganze Zeit nach dem Beginn.")


def test_ids_of_results_are_stable(asymptotic):
    effect, _ = asymptotic
    ids = {row["id"] for published in effect.results for row in published.results()}
    start_ = f"study.{STUDY}"
    assert {
        f"{start_}.effect/term=effect",
        f"{start_}.specifications/specification=declared",
        f"{start_}.specifications/specification=with_neighbours",
        f"{start_}.specifications/specification=districts",
        f"{start_}.rings/ring=0",
        f"{start_}.rings/ring=1",
        f"{start_}.rings/ring=2",
        f"{start_}.rings_detectable/ring=1",
        f"{start_}.rings_number/ring=far",
        f"{start_}.districts.number/what=treated",
        f"{start_}.districts.share",
        f"{start_}.districts.diluted",
    } <= ids
    assert json.dumps(sorted(ids)).isascii()
