from evaluation.figures.dose import planned_and_done


def test_bar_and_line_are_named_and_numbered(published, words):
    rows = [
        {"state": state, "period": year, "value": value}
        for year, plan, done in (("2022", None, None), ("2023", 3000.0, 2676.0), ("2024", 3744.0, 3540.0))
        for state, value in (("planned", plan), ("done", done))
    ]
    figure = planned_and_done(published(rows, unit="hours", keys=("state", "period")), unit="Stunden", language="de")
    said = words(figure)
    assert {"2.676", "3.540", "geplant", "geleistet", "Stunden", "2023", "2024"} <= set(said)
    assert "2022" not in said
    assert figure.axes[0].get_ylim()[0] == 0


def test_years_without_a_plan_have_no_line(published):
    rows = [{"state": s, "period": "2024", "value": v} for s, v in (("planned", None), ("done", 12.0))]
    figure = planned_and_done(published(rows, unit="hours", keys=("state", "period")), unit="Stunden", language="de")
    assert len(figure.axes[0].collections) == 0
