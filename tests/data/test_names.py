import pytest

from evaluation.data.names import Names, plain

LEIPZIG = Names(
    (
        ("00", "Zentrum"),
        ("04", "Zentrum-Süd"),
        ("62", "Grünau-Mitte"),
        ("63", "Grünau-Siedlung"),
        ("50", "Großzschocher"),
    )
)


@pytest.mark.parametrize(
    "written",
    [
        "Grünau-Mitte",
        " grünau mitte ",
        "Grünau – Mitte",
        "Grünau‑Mitte",
        "GRÜNAU-MITTE",
        "Ortsteil Grünau-Mitte",
        "OT Grünau-Mitte",
        "Grünau-Mitte 1)",
        "Grünau-Mitte*",
        "Grünau-Mitte¹",
        "Gru\u0308nau-Mitte",
        "62",
        "62 Grünau-Mitte",
    ],
)
def test_variants_of_a_name_find_its_key(written):
    assert LEIPZIG.key(written) == "62"


@pytest.mark.parametrize(
    "written", ["Grünau", "Grünau-Mite", "0", "Mitte", "62 Zentrum", "99 Zentrum", "", "Zentrum Nord"]
)
def test_another_name_finds_nothing(written):
    assert LEIPZIG.key(written) is None


def test_sharp_s_and_double_s_are_one_letter():
    assert LEIPZIG.key("Grosszschocher") == "50"


def test_the_nearest_is_named_with_its_key():
    assert LEIPZIG.nearest("Grünau-Mite") == "62 Grünau-Mitte"
    assert LEIPZIG.nearest("0") == "00 Zentrum"
    assert LEIPZIG.nearest("xqqx") is None


def test_a_name_of_two_areas_finds_neither():
    names = Names((("1", "Neustadt"), ("2", "Neustadt"), ("3", "Altstadt")))
    assert names.key("Neustadt") is None
    assert names.key("Altstadt") == "3"


def test_plain_keeps_names_apart():
    assert plain("Zentrum-Süd") != plain("Zentrum-Südost")
