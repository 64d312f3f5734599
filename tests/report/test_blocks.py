import json

import pandas as pd
import pytest

from evaluation.disclosure import About, Rules, publish
from evaluation.errors import ReportError
from evaluation.report import blocks
from evaluation.report.page import MIME, Page, render

SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'></svg>"
NASTY = '<script>alert("&")</script>'


def published(value: float = 12):
    frame = pd.DataFrame({"area": ["00"], "year": ["2024"], "value": [value]})
    about = About(id="registered.theft", unit="cases", source="Polizei")
    return publish(frame, Rules(), about=about, keys=("area", "year"), basis="cases")


def table(**changes):
    columns = (blocks.TableColumn(title="Gebiet"), blocks.TableColumn(title="Fälle", align="end"))
    return blocks.TableBlock(
        **{"id": "t", "caption": "Diebstahl 2024", "columns": columns, "rows": (("00", "12"),), **changes}
    )


def figure(**changes):
    words = {"id": "f", "image": SVG, "alt": "Eine Linie", "finding": "Die Zahl stieg", "source": "Polizei"}
    return blocks.FigureBlock(**{**words, **changes})


@pytest.mark.parametrize(
    "block",
    [
        blocks.TitleBlock(title=NASTY, subtitle=NASTY, facts=((NASTY, NASTY),), banner=NASTY),
        blocks.ContentsBlock(title=NASTY),
        blocks.Heading(NASTY),
        blocks.Paragraph(NASTY, lead=NASTY),
        blocks.ListBlock((NASTY,)),
        blocks.FactsBlock(((NASTY, NASTY),)),
        table(caption=NASTY, rows=((NASTY, blocks.TableCell(words=NASTY, spoken=NASTY, mark=NASTY)),), notes=(NASTY,)),
        table(columns=(blocks.TableColumn(title=NASTY), blocks.TableColumn(title=NASTY, group=NASTY)), source=NASTY),
        figure(alt=NASTY, finding=NASTY, source=NASTY, note=NASTY, table=table()),
        blocks.NoteBlock(words=NASTY, title=NASTY),
        blocks.GroupBlock(id="g", blocks=(blocks.Paragraph(NASTY),)),
    ],
    ids=lambda block: type(block).__name__,
)
def test_text_is_never_markup(block):
    html = render(block, "de")
    assert "<script" not in html
    assert "&lt;script&gt;alert(&#34;&amp;&#34;)&lt;/script&gt;" in html


def test_table_has_caption_and_scopes():
    columns = (
        blocks.TableColumn(title="Gebiet"),
        blocks.TableColumn(title="2023", align="end", group="Fälle"),
        blocks.TableColumn(title="2024", align="end", group="Fälle"),
    )
    rows = (("00", "12", blocks.TableCell(words=".", spoken="nicht ausgewiesen")), ("Stadt", "12", "30"))
    html = render(table(columns=columns, rows=rows, totals=1, source="Polizei", notes=("Ein Hinweis.",)), "de")
    lines = [line for line in html.splitlines() if line.startswith(("<caption", "<th", "<td", "<tr", "<p"))]
    assert lines == [
        '<caption id="t-caption">Diebstahl 2024</caption>',
        "<thead>",
        "<tr>",
        "<td></td>",
        '<th scope="colgroup" colspan="2">Fälle</th>',
        "<tr>",
        '<th scope="col">Gebiet</th>',
        '<th scope="col" class="number">2023</th>',
        '<th scope="col" class="number">2024</th>',
        "<tr>",
        '<th scope="row">00</th>',
        '<td class="number">12</td>',
        '<td class="number"><span aria-hidden="true">.</span>'
        '<span class="visually-hidden">nicht ausgewiesen</span></td>',
        '<tr class="total">',
        '<th scope="row">Stadt</th>',
        '<td class="number">12</td>',
        '<td class="number">30</td>',
        '<p class="small">Ein Hinweis.</p>',
        '<p class="source">Quelle: Polizei</p>',
    ]


def test_figure_shows_finding_picture_note_source_and_unfolding_numbers_in_this_order():
    html = render(figure(table=table(), note="2022 wurde anders gezählt."), "en")
    order = ['-finding">Die Zahl stieg', '<img src="data:image/svg+xml;base64,', 'alt="Eine Linie"', "2022 wurde"]
    order += ["Source: Polizei", "<summary>Numbers as a table</summary>", '<table id="t">', "</figure>"]
    places = [html.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: figure(alt=" "),
            "FigureBlock f: Der Alternativtext fehlt. Abhilfe: In alt sagen, was das Bild zeigt; ohne ihn ist der "
            "Bericht nicht barrierefrei.",
        ),
        (
            lambda: figure(finding=""),
            "FigureBlock f: Die Aussage fehlt. Abhilfe: In finding sagen, was das Bild zeigt; ein Bild ohne Aussage "
            "wird weggelassen.",
        ),
        (
            lambda: figure(image=b"GIF89a"),
            "Das Bild f ist weder SVG noch PNG. Abhilfe: Bilder mit evaluation.report.images erzeugen.",
        ),
        (
            lambda: table(rows=(("00",),)),
            "Eine Zeile der Tabelle t hat 1 Felder, der Kopf 2. Abhilfe: Jede Zeile mit so vielen Feldern füllen, wie "
            "es Spalten gibt.",
        ),
        (
            lambda: blocks.Heading("Zu tief", level=6),
            "Die Überschrift „Zu tief“ hat die Ebene 6. Abhilfe: Erlaubt sind 2 (Kapitel) bis 5.",
        ),
        (
            lambda: blocks.Heading("Titel", id="1 a"),
            "„1 a“ kann kein Sprungziel sein. Abhilfe: Mit einem Buchstaben beginnen; erlaubt sind Buchstaben, "
            "Ziffern, Punkt, Binde- und Unterstrich.",
        ),
        (
            lambda: blocks.NoteBlock(words="Keine Daten.", kind="missing"),
            "Der Hinweis „Keine Daten.“ sagt nicht, was fehlt. Abhilfe: In subject Maßnahme, Teil oder Studie angeben.",
        ),
        (
            lambda: blocks.TableCell(words="x", target="https://example.org"),
            "Der Verweis „https://example.org“ führt aus dem Bericht hinaus. Abhilfe: Verweise beginnen mit # und "
            "nennen ein Sprungziel des Berichts.",
        ),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ReportError) as error:
        make()
    assert error.value.worded("de") == message


def test_anchor_from_words():
    assert blocks.Heading("3 Was soll nächstes Jahr geschehen?").id == "was-soll-naechstes-jahr-geschehen"


def test_wide_tables_are_told_from_narrow_ones():
    def width(columns: int, align: str = "end") -> str:
        return table(columns=(blocks.TableColumn(title="x", align=align),) * columns, rows=()).width

    assert [width(n) for n in (3, 4, 10, 11)] == ["narrow", "normal", "normal", "wide"]
    assert width(3, "start") == "normal"  # words need room


def test_page_hands_on_results_gaps_and_missing_data_once():
    shown = published()
    page = Page(
        (
            blocks.Paragraph("12 Fälle.", results=(shown,)),
            blocks.GroupBlock(id="g", blocks=(figure(table=table(results=(shown,))), table(results=(published(20),)))),
            blocks.NoteBlock(words="Nicht geliefert.", kind="missing", subject="A1.held"),
            blocks.NoteBlock(words="Nicht geschätzt.", kind="gap", subject="patrols"),
            blocks.NoteBlock(words="Nur ein Hinweis."),
        ),
        "de",
    )
    bundle = page._repr_mimebundle_()
    facts = bundle[MIME]
    assert [row["value"] for row in facts["results"]] == [12, 20]
    assert facts["missing"] == [{"subject": "A1.held", "words": "Nicht geliefert."}]
    assert facts["gaps"] == [{"subject": "patrols", "words": "Nicht geschätzt."}]
    assert json.loads(json.dumps(facts)) == facts
    assert bundle["text/html"] == page.html() == page.html()
    assert bundle["text/plain"] == "Page of 5 blocks (Paragraph, GroupBlock, NoteBlock, NoteBlock, NoteBlock)"


def test_no_line_ends_inside_an_interval_or_a_p_value_and_the_words_stay_as_they_are():
    words = "Ein <95-%-Bereich> und ein p-Wert, aber 95 % und Lösung-p-x"
    html = render(blocks.Paragraph(words), "de")
    assert html == (
        '<p>Ein &lt;<span class="together">95-%-Bereich</span>&gt; und ein <span '
        'class="together">p-Wert</span>, aber 95 % '
        "und Lösung-p-x</p>"
    )
    columns = (blocks.TableColumn(title="Jahr"), blocks.TableColumn(title="95-%-Bereich", align="end"))
    shown = render(blocks.TableBlock(id="t", caption="p-Werte", columns=columns, rows=()), "de")
    assert '<th scope="col" class="number"><span class="together">95-%-Bereich</span></th>' in shown
    assert '<span class="together">p-Werte</span></caption>' in shown
