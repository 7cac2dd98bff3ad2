"""Tests of csv-profiler: exact values of its parts, and that it finds each fault of its example."""

import csv
import io
import random
from pathlib import Path
from typing import Any

import pytest
from agentnexus_agent import AgentError

from ..samples import run, source
from . import numeric
from .agent import examine
from .columns import profile
from .findings import distance
from .reading import UnreadableError, read, sniff_delimiter
from .values import ENGLISH, EUROPEAN, day_first, is_missing, number_style, parse_boolean, parse_date


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return examine(source("csv_profiler").manifest["example_input"]["csv"])


def found(result: dict[str, Any], row: int, column: str) -> str:
    """The problem of a cell."""
    return next((one["problem"] for one in result["findings"] if (one["row"], one["column"]) == (row, column)), "")


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows])


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12), ("-3.5", -3.5), ("1,234.5", 1234.5), ("$1,200", 1200), ("12 %", 12), ("(45)", -45), ("1e3", 1000),
     (".5", 0.5), ("−7", -7), ("٣", 3), ("12,34", None), ("1.2.3", None), ("abc", None), ("", None), ("-", None),
     ("1e999", None)],
)  # fmt: skip
def test_english_numbers(cell: str, value: float | None) -> None:
    assert ENGLISH.parse(cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12), ("1.234,5", 1234.5), ("1 234,5", 1234.5), ("3,14 €", 3.14), ("1’000", 1000), ("12.5", None)],
)
def test_european_numbers(cell: str, value: float | None) -> None:
    assert EUROPEAN.parse(cell) == value


def test_the_style_with_more_numbers_wins_and_english_breaks_a_tie() -> None:
    assert number_style(["1,5", "2,25", "3"]) is EUROPEAN
    assert number_style(["1,500", "2"]) is ENGLISH


@pytest.mark.parametrize(
    ("cell", "first", "expected"),
    [
        ("2024-03-01", True, "2024-03-01T00:00:00"),
        ("01.03.2024", True, "2024-03-01T00:00:00"),
        ("03/01/2024", False, "2024-03-01T00:00:00"),
        ("1 March 2024", True, "2024-03-01T00:00:00"),
        ("Mar 1st, 2024", True, "2024-03-01T00:00:00"),
        ("2024-03-01T13:05:09Z", True, "2024-03-01T13:05:09"),
        ("3/1/24 1:05 PM", False, "2024-03-01T13:05:00"),
        ("2024-02-30", True, None),
        ("13/13/2024", True, None),
        ("2024", True, None),
        ("soon", True, None),
    ],
)
def test_dates(cell: str, first: bool, expected: str | None) -> None:
    date = parse_date(cell, first)

    assert (date.isoformat() if date else None) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(["13/02/2024", "1/2/2024"], True), (["02/13/2024"], False), (["1/2/2024"], None), (["1.2.2024"], True)],
)
def test_the_order_of_day_and_month_is_learnt_from_the_column(cells: list[str], expected: bool | None) -> None:
    assert day_first(cells) is expected


def test_missing_values_and_booleans_in_their_usual_forms() -> None:
    assert all(is_missing(cell) for cell in ("", "  ", "N/A", "null", "NaN", "-", "#REF!", "k.A."))
    assert not any(is_missing(cell) for cell in ("0", "no", "none of them", "."[:0] + "x"))
    assert (parse_boolean("Yes"), parse_boolean("nein"), parse_boolean("maybe")) == (True, False, None)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a,b\n1,2", ","),
        ("a;b\n1,5;2", ";"),
        ("a\tb\n1\t2", "\t"),
        ("a|b\n1|2", "|"),
        ('"a,x";b\n"1,2";3', ";"),
        ("a\n1", ","),
    ],
)
def test_delimiters_are_recognised(text: str, mark: str) -> None:
    assert sniff_delimiter(text) == mark


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name,age\nAda,36", ["name", "age"]),
        ("1,2\n3,4", ["column 1", "column 2"]),
        ("Ada,36\nAlan,41", ["column 1", "column 2"]),
        ("a,a,\n1,2,3", ["a", "a (2)", "column 3"]),
        (" name ,age\nAda,36", ["name", "age"]),
    ],
)
def test_headers(text: str, names: list[str]) -> None:
    assert read(text, header="yes" if "a,a," in text else "auto").header == names


def test_rows_of_another_length_are_filled_or_cut_and_noted() -> None:
    found_table = read("a,b,c\n1,2,3\n1,2\n1,2,3,4\n5,6,7\n")

    assert found_table.rows == [["1", "2", "3"], ["1", "2", ""], ["1", "2", "3"], ["5", "6", "7"]]
    assert found_table.ragged == [(3, 2), (4, 4)]


def test_a_quote_that_is_never_closed_does_not_swallow_the_file() -> None:
    text = table("a,b", *(f'{n},"x' if n == 3 else f"{n},y" for n in range(60)))

    found_table = read(text)

    assert len(found_table.rows) == 60
    assert "never closed" in found_table.remarks[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The CSV is empty."),
        (" \n ", "The CSV is empty."),
        (",,\n,,", "no row with anything in it"),
        ("a,b", "a header and no rows"),
        (",".join("x" * 201) + "\n1", "201 columns"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UnreadableError, match=sentence):
        read(text, header="yes" if text == "a,b" else "auto")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", "2", "9"], "integer"),
        (["1.5", "2", "3"], "decimal"),
        (["yes", "no", "no"], "boolean"),
        (["2024-01-01", "2024-01-02"], "date"),
        (["2024-01-01 10:00", "2024-01-02 11:30"], "date and time"),
        (["a@b.com", "c@d.org", "e@f.net"], "email"),
        (["https://a.example", "http://b.example/x"], "url"),
        (["6f9619ff-8b86-d011-b42d-00cf4fc964ff"] * 2, "uuid"),
        (["10.0.0.1", "10.0.0.2", "::1"], "ip address"),
        (["0x" + "ab" * 20, "0x" + "cd" * 20], "hex address"),
        (["01067", "10115", "04103"], "category"),
        (["A-1", "A-2", "A-3", "A-4", "A-5", "B-6"], "identifier"),
        (["1", "2", "3", "4", "5", "6"], "identifier"),
        (["red", "red", "blue", "red"], "category"),
        (["", "n/a", "-"], "empty"),
        ([f"some longer sentence number {n} of many {n * n}" for n in range(80)], "text"),
    ],
)
def test_kinds_of_columns(cells: list[str], kind: str) -> None:
    assert profile("x", cells).kind == kind


def test_quantiles_are_those_of_spreadsheets() -> None:
    values = [1.0, 2.0, 4.0, 8.0]

    assert [numeric.quantile(values, share) for share in (0, 0.25, 0.5, 1)] == [1.0, 1.75, 3.0, 8.0]


def test_robust_scores_do_not_hide_behind_the_outlier() -> None:
    # median 12, absolute deviations 2 1 0 1 2 988 with median 1.5
    scores = numeric.robust_scores([10.0, 11.0, 12.0, 12.0, 13.0, 1000.0])

    assert scores[-1] == pytest.approx(988 / (1.0 * 1.4826))
    assert abs(scores[0]) < 2


def test_robust_scores_of_mostly_equal_values_use_the_mean_deviation() -> None:
    scores = numeric.robust_scores([5.0] * 9 + [15.0])

    assert scores[-1] == pytest.approx(10 / (1.0 * 1.2533))
    assert numeric.robust_scores([5.0] * 4) == [0.0] * 4


def test_ranks_share_ties_and_correlation_of_ranks_is_exact() -> None:
    assert numeric.ranks([10, 20, 20, 30]) == [1.0, 2.5, 2.5, 4.0]
    one, other = numeric.standardised([1.0, 2.0, 3.0]), numeric.standardised([3.0, 2.0, 1.0])
    assert sum(a * b for a, b in zip(one, other, strict=True)) == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("Hamburg", "Hambrug", 1),
        ("Berlin", "Berln", 1),
        ("abc", "abc", 0),
        ("kitten", "sitting", 3),
        ("a", "abcdef", 3),
    ],
)
def test_edits_between_words(one: str, other: str, edits: int) -> None:
    assert distance(one, other, 3 if edits == 3 and one == "kitten" else 2) == edits


@pytest.mark.parametrize(
    ("value", "shown"),
    [(12.0, "12"), (1234.5, "1,234.5"), (0.1 + 0.2, "0.3"), (1e20, "1e+20"), (0.00001, "1e-05"), (-2.0, "-2")],
)
def test_numbers_for_people(value: float, shown: str) -> None:
    assert numeric.short(value) == shown


def test_example_is_read_as_it_is(example: dict[str, Any]) -> None:
    assert example["overview"] == {
        "rows": 141,
        "columns": 12,
        "delimiter": "comma",
        "has_header": True,
        "missing_cells": 12,
        "missing_share": 0.0071,
        "duplicate_rows": 1,
    }
    assert (example["quality"]["score"], example["quality"]["grade"]) == (94, "B")


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (19, "city", "no other row has this value"),
        (25, "city", "looks like “Hamburg”"),
        (33, "country", "looks like “Germany”"),
        (46, "total", "but here 1 × 34.5 = 34.5"),
        (54, "quantity", "negative, unlike nearly all others"),
        (54, "total", "but here -2 × 89 = -178"),
        (60, "email", "not an email"),
        (65, "ship_date", "before order_date"),
        (73, "country", "city “Berlin” has “Germany”"),
        (79, "order_date", "not a date"),
        (82, "rating", "not an integer"),
        (90, "product", "spaces around the value in row 90"),
        (97, "category", "looks like “Lighting”"),
        (109, "product", "garbled characters"),
        (114, "", "the same as row 113"),
        (123, "order_id", "key also used in row 101"),
        (0, "rating", "9% of values are missing, written as 'n/a'"),
    ],
)
def test_every_fault_of_the_example_is_found(example: dict[str, Any], row: int, column: str, problem: str) -> None:
    assert problem in found(example, row, column)


def test_the_example_has_no_other_findings(example: dict[str, Any]) -> None:
    assert len(example["findings"]) == 18


def test_repairs_say_which_cell_is_wrong(example: dict[str, Any]) -> None:
    advice = {(one["row"], one["column"]): one["suggestion"] for one in example["findings"]}

    assert advice[54, "total"] == "Probably quantity is 1; if not, total is -178."
    assert advice[46, "total"] == "Probably total is 34.5."
    assert advice[109, "product"] == "Probably “Café table”."


def test_rules_of_the_example_are_discovered(example: dict[str, Any]) -> None:
    rules = {(one["kind"], one["left"], one["right"]) for one in example["relations"]}

    assert {
        ("formula", "total", "quantity × unit_price"),
        ("dependency", "product", "category"),
        ("dependency", "city", "country"),
        ("order", "order_date", "ship_date"),
        ("correlation", "unit_price", "total"),
    } <= rules


def test_the_cleaned_example_has_only_what_needs_no_guessing_repaired(example: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(example["cleaned_csv"])))

    assert len(rows) == 140
    assert rows[31]["country"] == "Germany"
    assert rows[23]["city"] == "Hambrug"  # a guess, so it is left to the owner
    assert rows[44]["total"] == "24900.00"
    assert rows[88]["product"] == "Desk lamp"
    assert [row["rating"] for row in rows].count("n/a") == 0
    assert {one["change"]: one["count"] for one in example["changes"]} == {
        "placeholders emptied": 2,
        "values trimmed": 1,
        "spellings unified": 1,
        "repeated rows removed": 1,
    }


def test_a_clean_file_gets_full_marks_and_nothing_to_repair() -> None:
    generator = random.Random(3)
    rows = [f"{n},{generator.gauss(50, 10):.2f},{generator.choice(['north', 'south'])}" for n in range(100, 200)]

    result = examine(table("id,value,side", *rows))

    assert (result["quality"]["score"], result["quality"]["grade"], result["findings"]) == (100, "A", [])
    assert result["changes"] == []
    assert result["cleaned_csv"] == table("id,value,side", *rows) + "\n"


def test_chance_does_not_correlate() -> None:
    generator = random.Random(5)
    rows = [f"{generator.random():.4f},{generator.random():.4f}" for _ in range(200)]

    assert examine(table("a,b", *rows))["relations"] == []


def test_a_real_correlation_is_found_with_its_sign() -> None:
    rows = [f"{n},{200 - 2 * n + n % 3}" for n in range(1, 60) for _ in range(1)]

    relations = examine(table("speed,delay", *reversed(rows)))["relations"]

    assert (relations[0]["kind"], relations[0]["strength"] < -0.95) == ("correlation", True)


def test_sums_and_differences_are_discovered_too() -> None:
    generator = random.Random(8)
    rows = []
    for n in range(60):
        net, tax = generator.randint(100, 999), generator.randint(1, 99)
        rows.append(f"{net},{tax},{net + tax + (5 if n == 30 else 0)}")

    result = examine(table("net,tax,gross", *rows))

    assert result["relations"][0]["detail"].startswith("gross = net + tax in 98.3%") or (
        result["relations"][0]["kind"] == "formula"
    )
    assert [one["row"] for one in result["findings"] if one["severity"] == "high"] == [32]


def test_values_that_many_rows_share_are_no_outliers() -> None:
    rows = ["5"] * 30 + ["6"] * 20 + ["7"] * 20 + ["8"] * 10 + ["500"] * 10

    assert examine(table("price", *rows))["findings"] == []


def test_a_lone_far_value_is_an_outlier() -> None:
    generator = random.Random(9)
    rows = [f"{generator.gauss(20, 2):.3f}" for _ in range(100)] + ["95.0"]

    result = examine(table("temperature", *rows))

    assert "far above the median" in found(result, 102, "temperature")


def test_decimal_commas_and_day_first_dates_are_cleaned() -> None:
    text = table("preis;datum", *(f'"{n},5";{n:02d}.03.2024' for n in range(10, 30)))

    result = examine(text)

    assert result["overview"]["delimiter"] == "semicolon"
    assert result["cleaned_csv"].splitlines()[1] == "10.5,2024-03-10"
    assert [one["kind"] for one in result["columns"]] == ["decimal", "date"]


def test_leading_zeros_are_kept() -> None:
    result = examine(table("zip,n", *(f"0{n},{n}" for n in range(1000, 1030))))

    assert result["cleaned_csv"].splitlines()[1].startswith("01000,")


def test_many_equal_rows_are_a_trait_of_the_file_and_not_a_fault() -> None:
    result = examine(table("side,level", *(["north,1"] * 30 + ["south,2"] * 30)))

    assert (result["overview"]["duplicate_rows"], result["findings"]) == (0, [])
    assert len(result["cleaned_csv"].splitlines()) == 61


def test_near_copies_are_found() -> None:
    rows = [f"{n},Person {n},Street {n},{n * 7}" for n in range(40)]
    rows.append("99,person 5,STREET 5,35")

    result = examine(table("id,name,street,amount", *rows))

    assert any(one["problem"] == "nearly the same as row 7" for one in result["findings"])


def test_without_clean_no_file_is_returned() -> None:
    result = examine("a,b\n1,2\n3,4", clean=False)

    assert (result["cleaned_csv"], result["changes"]) == ("", [])


def test_a_lower_limit_finds_more() -> None:
    generator = random.Random(9)
    text = table("x", *(f"{generator.gauss(0, 1):.4f}" for _ in range(300)))

    assert len(examine(text, outlier_limit=2)["findings"]) > len(examine(text, outlier_limit=4)["findings"])


def test_report_escapes_what_would_be_markup() -> None:
    result = examine("a|x,b\n<b>1</b>,2\n[y](javascript:z),4", delimiter="comma", header="yes")

    assert "<b>" not in result["report"]
    assert "a\\|x" in result["report"]


@pytest.mark.parametrize(
    "text",
    [
        '"',
        '"""',
        'a,"b\nc,d',
        "\r\r\r",
        "a\rb\rc\rd",
        ",,,,\n1,2,3,4,5",
        "a,b\n" + "x" * 200_000 + ",1",
        "0\n" * 50,
        "é;ü\n1;2",
    ],
)
def test_malformed_csv_gives_a_profile_or_a_sentence(text: str) -> None:
    try:
        sentence = examine(text)["report"]
    except AgentError as error:
        sentence = str(error)

    assert sentence.strip().endswith((".", "|", "1", "2", "3"))


def test_a_file_instead_of_text(tmp_path: Path) -> None:
    path = tmp_path / "1.csv"
    path.write_bytes("\ufeffid,city\n1, Graz\n2,Wien\n3,<b>\n".encode())
    file = {"path": str(path), "name": "Städte & more.csv", "size": path.stat().st_size, "media_type": "text/csv"}

    ran = run("csv_profiler", {"file": file})

    assert (ran.result["report_file"], ran.result["cleaned_file"]) == (
        "St-dte-more-report.html",
        "St-dte-more-cleaned.csv",
    )
    (folder,) = [Path(line.rpartition(" ")[2]) for line in ran.log if "nobody takes files here" in line]
    page = (folder / "St-dte-more-report.html").read_text()
    assert "<h1>Städte &amp; more</h1>" in page
    assert "<b>" not in page
    assert (folder / "St-dte-more-cleaned.csv").read_text() == "id,city\n1,Graz\n2,Wien\n3,<b>\n"


def test_a_file_that_is_not_text_and_two_inputs_at_once(tmp_path: Path) -> None:
    path = tmp_path / "1.csv"
    path.write_bytes("ä,b\n1,2".encode("latin-1"))
    for document, sentence in (
        ({"file": str(path)}, "error: 1.csv is not text in UTF-8. Save it as UTF-8 and try again."),
        ({"file": str(path), "csv": "a,b"}, "error: Give the CSV as text or as a file, not both."),
    ):
        ran = run("csv_profiler", document)
        assert (ran.code, ran.log[-1]) == (1, sentence)
