"""A small report notebook with one of everything, and a project that answers what the runner asks."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

import evaluation.project
from evaluation.report import notebooks, runner

CELLS = (
    'project = "project"\nyear = 2024\nlanguage = "de"',
    """import pandas as pd
from matplotlib.figure import Figure

from evaluation.disclosure import About, Rules, publish
from evaluation.report import blocks, images, tables
from evaluation.report.page import Page

areas = [f"{number:02d}" for number in range(30)]
frame = pd.DataFrame({"area": areas * 2, "year": ["2023"] * 30 + [str(year)] * 30})
frame["value"] = [3 * int(area) + 2 for area in areas * 2]
about = About(id="registered.theft", unit="cases", source="Polizeidirektion <Leipzig>", outcome="theft")
shown = publish(frame, Rules(), about=about, keys=("area", "year"), basis="cases")
layout = tables.Layout(id="theft", caption="Diebstahl nach Ortsteil", language=language, rows=("area",))
table = tables.wide_table(shown, layout, columns="year")""",
    """title = blocks.TitleBlock(
    title="Jahresbericht – Größe & <b>Maß</b>", subtitle=f"Berichtsjahr {year}", banner="Simulierte Daten",
    facts=(("Stand", "Entwurf"), ("Quelle", "Simulation")),
)
summary = (blocks.Heading("Was wir wissen"), blocks.ListBlock(("Erstens.", "Zweitens."), results=(shown,)))
one = blocks.GroupBlock(id="page-one", kind="summary", blocks=summary)
Page((title, one, blocks.ContentsBlock(title="Inhalt")), language)""",
    """figure = Figure(figsize=(7, 3))
figure.subplots().plot([1, 2, 3], [2, 3, 4])
line = blocks.FigureBlock(
    id="line", image=images.svg(figure), alt="Linie, die steigt", finding="Die Zahl stieg", source="Polizei",
    table=table, note="2022 wurde anders gezählt.",
)
dots = blocks.FigureBlock(
    id="dots", image=images.png(figure, dpi=80), alt="Linie", finding="Die Zahl stieg wieder", source="Polizei"
)
many = tuple(blocks.TableColumn(title=f"Spalte {number}", group="Gruppe") for number in range(12))
wide = blocks.TableBlock(id="wide", caption="Viele Spalten", columns=many, rows=(tuple("123456789abc"),))
Page((
    blocks.Heading("1 Wie wird die Umsetzung beurteilt?"), blocks.Paragraph("Gut.", kind="answer"), line, dots,
    blocks.GroupBlock(id="measure-A2", kind="measure", blocks=(
        blocks.Heading("A2 Streifen", level=3, id="A2"),
        blocks.NoteBlock(words="Dazu wurden keine Daten geliefert.", kind="missing", subject="A2.parks"),
        blocks.FactsBlock((("Seit", "2019"), ("Umfang", "1.200 Stunden"))),
    )),
    blocks.Heading("Breite Tabellen"),
    wide,
), language)""",
)


def notebook_of(*cells: str) -> nbformat.NotebookNode:
    """Return a notebook whose first cell holds the parameters."""
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"
    made.cells[0].metadata["tags"] = ["parameters"]
    return made


@pytest.fixture
def use_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Let the runner run these cells as the annual report, for a project that only has a name."""

    def use(*cells: str) -> None:
        path = tmp_path / "annual.ipynb"
        path.write_text(nbformat.writes(notebook_of(*cells)), encoding="utf-8")
        monkeypatch.setattr(notebooks, "find", lambda _: path)

    def opened(folder: str | Path, *, year: int | None = None) -> SimpleNamespace:
        assert year == 2024
        inputs = {"data/areas.csv": "0" * 64}
        file = SimpleNamespace(name={"de": "Probe", "en": "Sample"})
        return SimpleNamespace(folder=Path(folder), file=file, language="de", studies={}, inputs=inputs)

    monkeypatch.setattr(evaluation.project, "open_project", opened)
    return use


@pytest.fixture(scope="session")
def small_report(tmp_path_factory: pytest.TempPathFactory) -> runner.Outcome:
    """The small report, written once."""
    folder = tmp_path_factory.mktemp("Bericht ä")
    with pytest.MonkeyPatch.context() as patch:
        use_notebook.__wrapped__(patch, folder)(*CELLS)
        return runner.run_annual(folder, 2024)
