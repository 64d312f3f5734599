"""Cases of the last years and their change by area, with what is to be known about single numbers."""

from evaluation.report import sentences
from evaluation.report.blocks import TableBlock, TableCell, TableColumn
from evaluation.report.material import Material
from evaluation.report.material.registered import Noted, Registered
from evaluation.report.tables import Layout, side_by_side, wide_table


def area_table(material: Material, outcome: Registered) -> TableBlock:
    """Return cases of the last years and their change by area, breaks marked by letters."""
    last = [*outcome.before, str(material.year)]
    shown = [(area, outcome.breaks) for area in sorted(material.areas)]
    letters: dict[str, str] = {}
    base = wide_table(
        outcome.areas.where(period=last),
        Layout(id=f"ortsteile-{outcome.id}", caption="-", language=material.language, rows=("area",)),
        columns="period",
    )
    numbers = {row[0].words: row[1:] for row in base.rows}
    changes = _change_cells(material, outcome)
    rows = []
    for area, breaks in shown:
        if area not in numbers:
            continue
        mark = _marks_of(area, breaks, last, letters, material, outcome)
        mark = f"* {mark}".strip() if area in material.not_meaningful else mark
        name = TableCell(words=material.areas[area], mark=mark)
        rows.append((TableCell(words=area), name, *numbers[area], *changes.get(area, ("…", "…"))))
    heads = [material.say("head.key"), material.say("head.area")]
    columns = [TableColumn(title=head) for head in heads]
    columns += [TableColumn(title=year, align="end", group=material.say("head.cases")) for year in last]
    columns += [
        TableColumn(title=material.say(f"head.{name}"), align="end", group=material.say("head.change"))
        for name in ("value", "interval")
    ]
    notes = [f"{letter}) {sentence}" for sentence, letter in letters.items()]
    if material.not_meaningful:
        names = [material.areas[area] for area in material.not_meaningful]
        notes.append(f"*) {material.say('map.not_meaningful', names=names)}")
    return TableBlock(
        id=f"tabelle-ortsteile-{outcome.id.replace('_', '-')}",
        caption=material.say(
            "situation.area_table",
            outcome=sentences.capital(outcome.title),
            year=material.year,
            before=sentences.years(outcome.before, material.language),
            span=sentences.years(last, material.language),
        ),
        columns=tuple(columns),
        rows=tuple(rows),
        row_heads=2,
        source=outcome.areas.source,
        notes=(*base.notes, *notes),
        results=(outcome.areas.where(period=last), *([outcome.change] if outcome.change else [])),
    )


def _change_cells(material: Material, outcome: Registered) -> dict[str, tuple[TableCell, TableCell]]:
    if outcome.change is None:
        return {}
    layout = Layout(id="x", caption="-", language=material.language, rows=("area",), interval=True)
    table = side_by_side({"-": outcome.change}, layout)
    return {row[0].words: (row[1], row[2] if len(row) > 2 else TableCell(words="…")) for row in table.rows}


def _marks_of(
    area: str,
    breaks: tuple[Noted, ...],
    years: list[str],
    letters: dict[str, str],
    material: Material,
    outcome: Registered,
) -> str:
    found = []
    for noted in breaks:
        if noted.change.area == area and noted.change.period[:4] in years:
            sentence = noted.worded(material.language, areas=material.areas, title=outcome.title)
            found.append(letters.setdefault(sentence, _letter(len(letters))))
    return " ".join(found)


def _letter(number: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[number] if number < 26 else str(number + 1)
