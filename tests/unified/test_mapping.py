"""Mapping files: those of a user change those of the package; a mistake is a sentence."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_freshbooks import cli
from tap_freshbooks.errors import ExitStatus, SettingsError
from tap_freshbooks.streams.resources import STREAMS
from tap_freshbooks.tap import TapFreshBooks
from tap_freshbooks.unified.column_types import SCHEMAS
from tap_freshbooks.unified.mapping_loader import PROTECTED_COLUMNS, load
from tap_freshbooks.unified.stream_classes import stream_classes
from tests.unified.golden import COMPANY, rows_of, stream_of, tap_with

if TYPE_CHECKING:
    from pathlib import Path

INVOICES = "unified_invoices"


def folder_with(tmp_path: Path, text: str, name: str = "house.yaml") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path)


def of_invoices(columns: dict[str, Any], **more: Any) -> str:
    return yaml.safe_dump({"stream": INVOICES, "columns": columns, **more})


def row_with(folder: str, **sent: Any) -> dict[str, Any]:
    sent = {"id": 1, "vis_state": 0, **sent}
    [row] = rows_of("invoices", sent, tap_with(folder))[INVOICES]
    return row


# Ours


def test_our_own_files_make_sense() -> None:
    for stream in stream_classes(STREAMS, None, remote_data=True):
        stream.check()


def test_every_column_of_ours_has_a_type_and_says_what_it_means() -> None:
    for mapping in load().values():
        assert mapping.columns.keys() >= PROTECTED_COLUMNS
        for column in mapping.columns.values():
            assert column.type in SCHEMAS
            assert re.fullmatch(r"[A-Z][^.]*[^.]", column.description.replace("unified_", "")) or (
                "unified_" in column.description
            ), f"{mapping.stream}.{column.name}: {column.description}"


# A user's


def test_a_column_of_ones_own(tmp_path: Path) -> None:
    columns = {
        "deposit": {"type": "decimal", "description": "Asked for", "path": "deposit_amount.amount"}
    }
    folder = folder_with(tmp_path, of_invoices(columns))
    row = row_with(folder, deposit_amount={"amount": "12.50", "code": "CAD"})
    assert row["deposit"] == "12.50"
    schema = tap_with(folder).streams[INVOICES].schema["properties"]["deposit"]
    assert schema == {
        "type": ["string", "null"],
        "format": "x-singer.decimal",
        "description": "Asked for",
    }


def test_a_column_of_ours_filled_in_another_way(tmp_path: Path) -> None:
    columns = {"reference": {"coalesce": ["po_number", "description"]}}
    row = row_with(folder_with(tmp_path, of_invoices(columns)), description="Order 7", po_number="")
    assert row["reference"] == "Order 7"


def test_words_are_added_to_a_table(tmp_path: Path) -> None:
    text = yaml.safe_dump(
        {
            "stream": "unified_payments",
            "columns": {"payment_method": {"from": {"payments": {"codes": {"Klarna": "online"}}}}},
        }
    )
    tap = tap_with(folder_with(tmp_path, text))
    for word, method in (("klarna", "online"), ("Cash", "cash"), ("Seashells", "other")):
        [row] = rows_of("payments", {"id": 1, "type": word}, tap)["unified_payments"]
        assert row["payment_method"] == method
        [row] = rows_of("bill_payments", {"id": 1, "payment_type": word}, tap)["unified_payments"]
        assert row["payment_method"] == ("cash" if word == "Cash" else "other")
    [row] = rows_of("payments", {"id": 1, "type": "klarna"})["unified_payments"]
    assert row["payment_method"] == "other"  # our own table is as it was


@pytest.mark.parametrize(
    ("stream", "native", "column", "word", "sent", "others"),
    [
        (INVOICES, "invoices", "status", "paid", "v3_status", {"sent": "open"}),
        ("unified_estimates", "estimates", "status", "accepted", "ui_status", {"draft": "draft"}),
        (
            "unified_accounts",
            "ledger_accounts",
            "account_type",
            "bank",
            "sub_type",
            {"Equity": "equity"},
        ),
        ("unified_credit_notes", "credit_notes", "status", "open", "status", {"draft": "draft"}),
        ("unified_bills", "bills", "status", "open", "status", {"paid": "paid"}),
    ],
)
def test_words_are_added_to_the_tables_inside_an_expression(
    tmp_path: Path,
    stream: str,
    native: str,
    column: str,
    word: str,
    sent: str,
    others: dict[str, str],
) -> None:
    text = {"stream": stream, "columns": {column: {"codes": {"brandnew": word}}}}
    tap = tap_with(folder_with(tmp_path, yaml.safe_dump(text)))
    key = stream_of(native).key[0]
    for given, expected in {"BrandNew": word, **others}.items():
        row = rows_of(native, {key: 1, sent: given}, tap)[stream][0]
        assert row[column] == expected


def test_one_parameter_of_a_rule_is_changed(tmp_path: Path) -> None:
    columns = {"status": {"with": {"status": {"codes": {"brandnew": "paid"}}}}}
    folder = folder_with(tmp_path, of_invoices(columns))
    assert row_with(folder, v3_status="brandnew")["status"] == "paid"
    amounts = {name: {"amount": "5.00", "code": "CAD"} for name in ("amount", "paid")}
    due = {"outstanding": {"amount": "0.00", "code": "CAD"}}
    assert row_with(folder, v3_status="sent", **amounts, **due)["status"] == "paid"


def test_a_parameter_that_is_a_plain_path_is_changed(tmp_path: Path) -> None:
    stream, native = "unified_journal_lines", "journal_entry_details"
    columns = {"net_amount": {"with": {"minuend": {"negate": True}}}}
    text = yaml.safe_dump({"stream": stream, "columns": columns})
    tap = tap_with(folder_with(tmp_path, text))
    sent = {stream_of(native).key[0]: 1, "debit": {"amount": "5.00"}, "credit": {"amount": "1.00"}}
    assert rows_of(native, sent, tap)[stream][0]["net_amount"] == "-6.00"


def test_a_condition_that_cannot_be_evaluated_leaves_a_row_out_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = "stream: unified_time_entries\nwhere: starts_with(note, 'x')\n"
    tap = tap_with(folder_with(tmp_path, text))
    rows = [rows_of("time_entries", {"id": 1, "note": note}, tap) for note in ("xy", "y", None)]
    assert [len(each["unified_time_entries"]) for each in rows] == [1, 0, 0]
    tap.streams["unified_time_entries"].finish()  # type: ignore[attr-defined] # a unified one
    assert "The column where is null in 1 row" in caplog.text


def test_a_word_that_is_none_of_the_enum_is_unknown_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tap = tap_with(folder_with(tmp_path, of_invoices({"status": {"path": "v3_status"}})))
    for word, status in (("paid", "paid"), ("haggled", "unknown")):
        sent = {"id": 1, "vis_state": 0, "v3_status": word}
        assert rows_of("invoices", sent, tap)[INVOICES][0]["status"] == status
    tap.streams[INVOICES].finish()  # type: ignore[attr-defined] # a unified one
    assert "The column status has no word of its own for haggled (1 x)" in caplog.text


def test_the_company_under_another_name(tmp_path: Path) -> None:
    columns = {"tenant": {"type": "string", "builtin": "company"}}
    row = row_with(folder_with(tmp_path, of_invoices(columns)))
    assert row["tenant"] == row["company_id"] == COMPANY


def test_constants_are_of_their_types(tmp_path: Path) -> None:
    columns = {
        "a": {"type": "decimal", "const": 1.5},
        "b": {"type": "date", "const": date(2024, 1, 31)},
        "c": {"type": "integer", "const": 7},
        "d": {"type": "string", "required": True, "const": "x"},
    }
    row = row_with(folder_with(tmp_path, of_invoices(columns)))
    assert [row[name] for name in "abcd"] == ["1.5", "2024-01-31", 7, "x"]


def test_paths_inside_of_functions(tmp_path: Path) -> None:
    columns = {"dearest": {"type": "string", "path": "max_by(lines, &lineid).name"}}
    lines = [{"lineid": 1, "name": "one"}, {"lineid": 2, "name": "two"}]
    assert row_with(folder_with(tmp_path, of_invoices(columns)), lines=lines)["dearest"] == "two"


def test_which_rows_there_are(tmp_path: Path) -> None:
    text = "stream: unified_time_entries\nwhere: 'id'\n"
    tap = tap_with(folder_with(tmp_path, text))
    assert (
        len(rows_of("time_entries", {"id": 1, "is_logged": False}, tap)["unified_time_entries"])
        == 1
    )


def test_what_is_no_list_is_not_counted_digit_by_digit(tmp_path: Path) -> None:
    columns = {
        "digits": {"type": "integer", "count": "invoice_number"},
        "cross": {"type": "decimal", "sum": "invoice_number"},
    }
    row = row_with(folder_with(tmp_path, of_invoices(columns)), invoice_number="123")
    assert (row["digits"], row["cross"]) == (None, None)


def test_one_file_may_have_several_streams_and_a_stream_several_files(tmp_path: Path) -> None:
    folder_with(
        tmp_path,
        of_invoices({"a": {"type": "string", "path": "uuid"}}) + "---\nstream: unified_bills\n",
    )
    folder = folder_with(
        tmp_path, of_invoices({"b": {"type": "string", "column": "a"}}), "more.yml"
    )
    row = row_with(folder, uuid="u")
    assert (row["a"], row["b"]) == ("u", "u")


def test_the_version_names_the_mapping_that_made_a_row(tmp_path: Path) -> None:
    one = load(folder_with(tmp_path, of_invoices({"a": {"type": "string", "path": "uuid"}})))
    same = load(str(tmp_path))
    other = load(folder_with(tmp_path, of_invoices({"a": {"type": "string", "path": "terms"}})))
    versions = [each[INVOICES].version for each in (one, same, other)]
    assert re.fullmatch(r"1-[0-9a-f]{8}", versions[0])
    assert versions[0] == versions[1] != versions[2]
    assert one["unified_bills"].version == "1"
    assert row_with(str(tmp_path))["mapping_version"] == versions[2]


def test_a_field_that_freshbooks_adds_is_a_matter_of_settings(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, of_invoices({"hue": {"type": "string", "path": "hue"}}))
    with pytest.raises(SettingsError, match=r"hue: there is no field hue"):
        TapFreshBooks(config={"unified_mappings": folder}, validate_config=False).streams  # noqa: B018
    override = {"name": "invoices", "override": True, "schema": {"hue": {"type": "string"}}}
    config = {"unified_mappings": folder, "custom_streams": [override], "include_deleted": True}
    tap = TapFreshBooks(config=config, validate_config=False)
    [row] = rows_of("invoices", {"id": 1, "hue": "blue"}, tap)[INVOICES]
    assert row["hue"] == "blue"


# Mistakes

STREAM = f"stream: {INVOICES}\ncolumns:\n"

MISTAKES = {
    "a stream that is none": (
        "stream: unified_invoice\n",
        "there is no stream unified_invoice; there are unified_a",
    ),
    "no YAML": ("stream: [\n", "it is no YAML in line 2: "),
    "objects of Python": (
        STREAM + "  a: !!python/object/apply:os.system ['true']\n",
        "it is no YAML in line 3: could not determine a constructor",
    ),
    "a list": ("- stream\n", "it is no mapping of names to values"),
    "columns that are a list": (f"stream: {INVOICES}\ncolumns: [a]\n", "columns: it is no mapping"),
    "a word beside the columns": (
        f"stream: {INVOICES}\nneeds: [lines]\n",
        "needs means nothing beside `columns`; known are stream, description, source, ",
    ),
    "another source": (
        f"stream: {INVOICES}\nsource: bills\n",
        "source: the source of a stream cannot be changed",
    ),
    "a key": (STREAM + "  id: {path: uuid}\n", "id: this column holds the model together"),
    "no column": (
        STREAM + "  terms: null\n",
        "terms: None is no column; a column that nobody wants is deselected",
    ),
    "no type": (STREAM + "  a: {path: uuid}\n", "a: its type None is none of string, decimal"),
    "a type that is none": (
        STREAM + "  a: {type: money, path: uuid}\n",
        "a: its type 'money' is none of",
    ),
    "an unknown word": (
        STREAM + "  a: {type: string, paths: uuid}\n",
        "a: paths means nothing here; known are type, required, description, enum, from, ",
    ),
    "no field": (
        STREAM + "  a: {type: string, path: uid}\n",
        "a: there is no field uid; there are ",
    ),
    "no field inside": (
        STREAM + "  a: {type: string, path: amount.value}\n",
        "a: there is no field value; there are amount, code",
    ),
    "nothing inside": (
        STREAM + "  a: {type: string, path: uuid.value}\n",
        "a: there is nothing called value in it",
    ),
    "no field of lines": (
        STREAM + "  a: {type: decimal, sum: 'lines[].amout.amount'}\n",
        "a: there is no field amout",
    ),
    "no path": (STREAM + "  a: {type: string, path: 'a ||'}\n", "a: 'a ||' is no path: "),
    "no field in a longer path": (
        STREAM + "  a: {type: string, path: 'uid || uuid'}\n",
        "a: there is no field uid",
    ),
    "Python": (STREAM + "  a: {type: string, path: __class__}\n", "a: there is no field __class__"),
    "a path without end": (
        STREAM + "  a: {type: string, path: '" + "(" * 5000 + "'}\n",
        "a: ",
    ),
    "two origins": (STREAM + "  a: {type: string, path: uuid, const: b}\n", "a: it needs one of "),
    "no origin": (STREAM + "  a: {type: string, negate: true}\n", "a: it needs one of "),
    "no rule": (
        STREAM + "  a: {type: string, rule: eval}\n",
        "a: there is no rule 'eval'; there are document_status",
    ),
    "no parameter": (
        STREAM + "  a: {type: string, rule: difference, with: {x: uuid}}\n",
        "a: the rule difference takes no x",
    ),
    "no ref": (STREAM + "  a: {type: string, ref: clients}\n", "a: `ref` is not a list"),
    "no list": (STREAM + "  a: {type: string, coalesce: uuid}\n", "a: `coalesce` is not a list"),
    "no term": (
        STREAM + "  a: {type: decimal, calc: [total_amount]}\n",
        "a: the term 'total_amount' of calc",
    ),
    "no table": (
        STREAM + "  a: {type: string, path: uuid, codes: [b]}\n",
        "a: `codes` is not a table",
    ),
    "no builtin": (
        STREAM + "  a: {type: string, builtin: token}\n",
        "a: there is no builtin token",
    ),
    "a column that is none": (
        STREAM + "  a: {type: decimal, calc: [+total]}\n",
        "a: there is no column total",
    ),
    "columns in a ring": (
        STREAM + "  a: {type: string, column: b}\n  b: {type: string, column: a}\n",
        "need each other",
    ),
    "a source that is none": (
        STREAM + "  a: {type: string, from: {bills: uuid}}\n",
        "a: `from` names bills, not of invoices",
    ),
    "both": (
        STREAM + "  a: {type: string, path: uuid, from: {invoices: uuid}}\n",
        "a: an expression stands beside `from`",
    ),
    "a needed column": (
        STREAM + "  status: {required: false}\n",
        "status: it is required, and stays so",
    ),
    "no condition": (f"stream: {INVOICES}\nwhere: is_lost\n", "where: there is no field is_lost"),
    "no fields of an expression": (
        STREAM + "  a: {type: string, coalesce: [{path: uuid, x: 1}]}\n",
        "a: x means nothing in an expression",
    ),
}


COLUMN = STREAM + "  a: {type: string, "

MISTAKES |= {
    "a link to nowhere": (
        COLUMN + "ref: [clientz, customerid]}\n",
        "a: `ref` names clientz, which is no native",
    ),
    "several types": (
        STREAM + "  a: {type: [string, 'null'], path: uuid}\n",
        "a: `type` is not one word",
    ),
    "another type": (
        STREAM + "  status: {type: integer}\n",
        "status: its type is string, and stays so",
    ),
    "from a word": (COLUMN + "from: invoices}\n", "a: `from` is not a table"),
    "where a number": (f"stream: {INVOICES}\nwhere: 5\n", "where: it is no text"),
    "an enum of letters": (COLUMN + "enum: open, path: uuid}\n", "a: `enum` is not a list"),
    "an enum of booleans": (
        COLUMN + "enum: [yes, no], path: uuid}\n",
        "a: `enum` is not a list of words; w",
    ),
    "fewer words": (
        STREAM + "  status: {enum: [open, unknown]}\n",
        "status: its enum can have more words",
    ),
    "required a word": (
        COLUMN + "required: 'no', path: uuid}\n",
        "a: `required` is not true or false",
    ),
    "a parameter list": (COLUMN + "rule: difference, with: [uuid]}\n", "a: `with` is not a table"),
    "calc a number": (COLUMN + "calc: 5}\n", "a: `calc` is not a list"),
    "only_if a word": (COLUMN + "path: uuid, only_if: status}\n", "a: `only_if` is not a table"),
    "a column list": (COLUMN + "column: [b]}\n", "a: `column` is not the name of a column"),
    "a rule list": (COLUMN + "rule: [b]}\n", "a: `rule` is not the name of a rule"),
    "an empty path": (COLUMN + "path: }\n", "a: `path` is not a path"),
    "an empty separator": (COLUMN + "concat: [uuid], separator: }\n", "a: `separator` is not text"),
    "a date for a word": (
        COLUMN + "path: uuid, codes: {2024-01-01: x}}\n",
        "a: `codes` has datetime.date(",
    ),
    "a list for a word": (
        COLUMN + "path: uuid, codes: {x: [1]}}\n",
        "a: `codes` has 'x', which is no word",
    ),
    "a ring of lists": (
        COLUMN + "coalesce: &x [{coalesce: *x}]}\n",
        "it is no YAML in line 3: found unconstructable recursive",
    ),
    "a path of many parts": (
        COLUMN + "path: '" + "uuid || " * 3000 + "uuid'}\n",
        "a: its path is too long",
    ),
    "no function": (
        COLUMN + "path: nofunc(uuid)}\n",
        "a: 'nofunc(uuid)' is no path: there is no function nofunc",
    ),
    "no argument": (COLUMN + "path: length()}\n", "the function length does not take 0 arguments"),
    "no word of the enum": (
        STREAM + "  status: {const: bogus}\n",
        "status: its const is no string, or none of draft",
    ),
    "a const of another type": (
        STREAM + "  a: {type: date, const: noon}\n",
        "a: its const is no date",
    ),
    "a const of nothing": (
        COLUMN + "const: null}\n",
        "a: `const` is not a word, a number or a date",
    ),
    "perhaps null": (
        COLUMN + "required: true, path: uuid}\n",
        "a: it is never null, so its expression needs",
    ),
    "a column that is not there": (
        STREAM + "  a: {type: object, column: remote_data}\n",
        "a: the column remote_data is only there with unified_remote_data",
    ),
    "a name in capitals": (
        STREAM + "  Yes: {type: string, path: uuid}\n",
        "True is no name of a column",
    ),
    "two columns of a name": (
        COLUMN + "path: uuid}\n  a: {type: string, path: terms}\n",
        "it is no YAML in line 4: 'a' stands there twice",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_a_sentence_with_file_and_field(tmp_path: Path, mistake: str) -> None:
    text, sentence = MISTAKES[mistake]
    folder = folder_with(tmp_path, text)
    with pytest.raises(SettingsError) as raised:
        TapFreshBooks(config={"unified_mappings": folder}, validate_config=False).streams  # noqa: B018
    assert str(raised.value).startswith("unified_mappings, house.yaml: ")
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    "around",
    [
        {"coalesce": ["number", "HERE"]},
        {"concat": ["number", "HERE"]},
        {"ref": ["invoices", "HERE"]},
        {"country_code": "HERE"},
        {"rule": "difference", "with": {"minuend": "HERE", "subtrahend": "id"}},
    ],
    ids=lambda around: next(iter(around)),
)
def test_expressions_inside_of_others_are_checked(tmp_path: Path, around: dict[str, Any]) -> None:
    for inside, sentence in (
        ({"column": "nowhere"}, "a: there is no column nowhere"),
        ({"path": ["id"]}, "a: `path` is not a path"),
    ):
        whole = json.dumps({"type": "string", **around}).replace('"HERE"', json.dumps(inside))
        folder = folder_with(tmp_path, of_invoices({"a": json.loads(whole)}))
        with pytest.raises(SettingsError, match=f"house.yaml: {sentence}"):
            TapFreshBooks(config={"unified_mappings": folder}, validate_config=False).streams  # noqa: B018


def test_a_few_lines_cannot_make_an_endless_expression(tmp_path: Path) -> None:
    part: dict[str, Any] = {"path": "id"}
    for _ in range(40):
        part = {"coalesce": [part, part]}  # written once, with a name, and meant twice
    folder = folder_with(tmp_path, of_invoices({"a": {"type": "string", **part}}))
    with pytest.raises(SettingsError, match=r"house.yaml: a: it has too many parts"):
        load(folder)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    too_long = tmp_path / ("x" * 300)
    for place, sentence in (
        (tmp_path / "none", "is no folder"),
        (tmp_path, "has no .yaml file"),
        (too_long, "its folder cannot be read, File name too long"),
    ):
        with pytest.raises(SettingsError, match=sentence):
            load(str(place))


def test_the_whole_can_be_shown_and_is_a_mapping_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_with(tmp_path, of_invoices({"a": {"type": "string", "path": "uuid"}}))
    config = tmp_path / "config.json"
    config.write_text(f'{{"unified_mappings": "{folder}"}}')
    assert cli.run(["unified", "--config", str(config)]) == ExitStatus.DONE
    shown = capsys.readouterr().out
    documents = {each["stream"]: each for each in yaml.safe_load_all(shown)}
    assert documents.keys() == load().keys()
    version = load(folder)[INVOICES].version
    assert f"# house.yaml; mapping_version {version}\nstream: {INVOICES}\n" in shown
    assert documents[INVOICES]["columns"]["a"] == {
        "type": "string",
        "description": "",
        "path": "uuid",
    }
    # The shown files change nothing when they are the user's.
    for document in documents.values():
        del document["source" if "source" in document else "sources"]
        for name in PROTECTED_COLUMNS:
            del document["columns"][name]
    again = tmp_path / "again"
    again.mkdir()
    (again / "all.yaml").write_text(yaml.safe_dump_all(documents.values()), encoding="utf-8")
    for name, mapping in load(str(again)).items():
        expected = load(folder)[name].columns
        assert {each: column.expressions for each, column in mapping.columns.items()} == {
            each: column.expressions for each, column in expected.items()
        }
    assert cli.run(["unified", "invoices"]) == ExitStatus.USAGE
    assert "there is no unified stream invoices; there are unified_" in capsys.readouterr().err


def test_a_mistake_is_reported_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_with(tmp_path, MISTAKES["no field"][0])
    config = tmp_path / "config.json"
    config.write_text(f'{{"access_token": "x", "unified_mappings": "{folder}"}}')
    assert cli.run(["--config", str(config), "--discover"]) == ExitStatus.USAGE
    error = capsys.readouterr().err
    assert "Error: unified_mappings, house.yaml: a: there is no field uid" in error
    assert "Traceback" not in error
