import dataclasses

import pytest

from evaluation.data.contracts import CONTRACTS, KINDS, contract_of
from evaluation.data.dialect import normal
from evaluation.errors import DataError
from evaluation.texts import text


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_every_column_has_labels_kind_unit_and_meaning_in_both_languages(contract):
    for column in contract.columns:
        assert set(column.label) == {"de", "en"}
        assert column.kind in KINDS
        for language in ("de", "en"):
            assert contract.describe(column.name, language).endswith(".")
            if column.unit:
                assert text(f"data.unit.{column.unit}", language)
            assert all(set(label) == {"de", "en"} for label in column.allowed.values())


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_no_two_columns_of_a_table_answer_to_the_same_heading(contract):
    headings = [(normal(heading), column.name) for column in contract.columns for heading in column.headings()]
    owners = {}
    for heading, owner in headings:
        assert owners.setdefault(heading, owner) == owner, heading


def test_keys_and_pairs_name_columns_of_the_table():
    for contract in CONTRACTS.values():
        named = {*contract.key, *(name for pair in contract.ordered for name in pair)}
        assert named <= set(contract.names)


def test_the_tables_that_the_first_report_needs():
    assert list(CONTRACTS) == [
        "areas",
        "inhabitants",
        "incidents",
        "counts",
        "deployments",
        "respondents",
        "events",
    ]


def test_contracts_are_values():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONTRACTS["areas"].name = "other"


def test_unknown_table_names_the_nearest():
    with pytest.raises(DataError) as caught:
        contract_of("incident")
    assert caught.value.worded("de") == (
        "Wert „incident“: Die Tabelle „incident“ kennt die Auswertung nicht. Abhilfe: Gemeint sein könnte "
        "„incidents“. "
        "Möglich sind areas, inhabitants, incidents, counts, deployments, respondents und events."
    )
