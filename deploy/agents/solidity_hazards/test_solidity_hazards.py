"""Tests of solidity-hazards: each rule with code that it must find and code that it must not."""

import re
from pathlib import Path
from typing import Any

import pytest
from agentnexus_agent import AgentError

from ..samples import source
from . import finding, rules
from .agent import check
from .syntax import parse
from .tokens import texts, tokenize, written

HEAD = "// SPDX-License-Identifier: MIT\npragma solidity 0.8.24;\n"


def codes(body: str, head: str = HEAD) -> list[tuple[str, str]]:
    """What is found in a contract with this body: severity and code, in order."""
    return [(one["severity"], one["code"]) for one in check(f"{head}contract C {{ {body} }}")["findings"]]


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return check(source("solidity_hazards").manifest["example_input"]["source"])


def hazards() -> set[finding.Hazard]:
    """All hazards that the rules can report."""
    modules = (rules.access, rules.calls, rules.file, rules.flows, rules.logic, rules.numbers, rules.signatures)
    return {one for module in modules for one in vars(module).values() if isinstance(one, finding.Hazard)}


def read_cases() -> list[tuple[str, str, str]]:
    """The cases of cases.txt: an id, what to find or not to find, and the contract's body."""
    found: list[tuple[str, str, list[str]]] = []
    for line in (Path(__file__).parent / "cases.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(("+ ", "- ")):
            found.append((f"{len(found)}{line.replace(' ', '-')}", line, []))
        elif line.startswith("    "):
            found[-1][2].append(line)
    return [(name, expected, "\n".join(body)) for name, expected, body in found]


@pytest.mark.parametrize(("expected", "body"), [pytest.param(*case[1:], id=case[0]) for case in read_cases()])
def test_rules(expected: str, body: str) -> None:
    sign, *wanted = expected.split()

    found = codes(body)

    if sign == "+":
        assert tuple(wanted) in found
    else:
        assert wanted[0] not in [code for _, code in found]


def test_every_hazard_has_a_case_that_must_be_found() -> None:
    elsewhere = {"missing-pragma", "floating-pragma", "old-compiler", "overflow", "hidden-characters"}
    shown = {expected.split()[-1] for _, expected, _ in read_cases() if expected.startswith("+")}

    assert {hazard.code for hazard in hazards()} == shown | elsewhere


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", [("low", "missing-pragma")]),
        ("pragma solidity ^0.8.20;", [("low", "floating-pragma")]),
        ("pragma solidity >=0.8.0 <0.9.0;", [("low", "floating-pragma")]),
        ("pragma solidity 0.8.24;", []),
        ("pragma solidity 0.8.7;", [("info", "old-compiler")]),
        ("pragma solidity 0.6.12;", [("medium", "old-compiler")]),
    ],
)
def test_compiler_versions(head: str, expected: list[tuple[str, str]]) -> None:
    assert codes("", head) == expected


def test_sums_are_unsafe_before_08_only() -> None:
    body = "mapping(address => uint) b; function w(uint a) external { b[msg.sender] += a; }"

    assert ("high", "overflow") in codes(body, "pragma solidity 0.7.6;")
    assert ("high", "overflow") not in codes(body, HEAD)
    assert ("high", "overflow") not in codes("using SafeMath for uint; " + body, "pragma solidity 0.7.6;")


def test_direction_changing_characters_are_found_in_comments_too() -> None:
    found = check(f"{HEAD}contract C {{ /* \u202e */ }}")["findings"]

    assert [(one["code"], one["line"]) for one in found] == [("hidden-characters", 3)]


def test_what_is_inherited_from_the_same_file_is_seen() -> None:
    text = f"""{HEAD}
    contract Base {{ address internal owner; modifier onlyOwner() {{ require(msg.sender == owner); _; }} }}
    contract C is Base {{ uint fee; event E(); function setFee(uint f) external onlyOwner {{ fee = f; emit E(); }} }}
    """

    assert check(text)["findings"] == []


def test_an_empty_modifier_protects_nothing() -> None:
    text = "address owner; modifier checked() { _; } function setOwner(address a) external checked { owner = a; }"

    assert ("high", "unprotected-function") in codes(text)


@pytest.mark.parametrize("comment", ["// hazards-ignore: tx-origin", "/* hazards-ignore: other, tx-origin */"])
@pytest.mark.parametrize("place", ["same", "above"])
def test_a_comment_silences_one_finding(comment: str, place: str) -> None:
    code = "address o; modifier m() { require(tx.origin == o); _; }"
    text = f"{HEAD}contract C {{\n" + (f"{code} {comment}\n}}" if place == "same" else f"{comment}\n{code}\n}}")

    result = check(text)

    assert result["findings"] == []
    assert result["overview"]["silenced"] == 1


def test_a_comment_for_another_code_silences_nothing() -> None:
    code = "address o; modifier m() { require(tx.origin == o); _; }"
    text = f"{HEAD}contract C {{ {code} // hazards-ignore: reentrancy\n}}"

    assert [one["code"] for one in check(text)["findings"]] == ["tx-origin"]


def test_lines_and_snippets_point_into_the_source(example: dict[str, Any]) -> None:
    lines = source("solidity_hazards").manifest["example_input"]["source"].splitlines()

    for one in example["findings"]:
        assert one["snippet"] == lines[one["line"] - 1].strip()


def test_findings_of_the_example(example: dict[str, Any]) -> None:
    found = [(one["severity"], one["code"], one["line"]) for one in example["findings"]]

    assert [one for one in found if one[0] in {"high", "medium"}] == [
        ("high", "tx-origin", 31),
        ("high", "reentrancy", 50),
        ("high", "arbitrary-from", 64),
        ("high", "unprotected-function", 68),
        ("high", "weak-randomness", 74),
        ("high", "call-in-loop", 82),
        ("high", "spot-price", 87),
        ("high", "signature-replay", 93),
        ("high", "unchecked-ecrecover", 93),
        ("high", "unchecked-call", 98),
        ("high", "selfdestruct", 107),
        ("medium", "secret-on-chain", 25),
        ("medium", "unchecked-transfer", 59),
        ("medium", "reentrancy", 64),
        ("medium", "unchecked-transfer", 64),
        ("medium", "divide-before-multiply", 77),
        ("medium", "unchecked-call", 82),
        ("medium", "divide-before-multiply", 88),
        ("medium", "delegatecall", 98),
        ("medium", "balance-equality", 102),
    ]
    assert example["overview"]["verdict"] == "Do not deploy: money or control can be lost."


def test_who_may_call_what(example: dict[str, Any]) -> None:
    rows = {one["function"]: (one["open_to"], one["writes"], one["calls"]) for one in example["functions"]}

    assert rows["withdraw"] == ("everyone", "balances", "msg.sender.call")
    assert rows["deposit"] == ("everyone", "balances, members", "")
    assert rows["upgradeHook"] == ("some", "", "module.delegatecall")


def test_minimum_severity_leaves_out_the_rest() -> None:
    text = source("solidity_hazards").manifest["example_input"]["source"]

    assert {one["severity"] for one in check(text, minimum_severity="medium")["findings"]} == {"high", "medium"}


def test_comments_and_strings_are_no_code() -> None:
    tokens, comments = tokenize("a = \"b // c /* d\"; // e \"f\n/* g ' */ h = 'i\\'j';")

    assert texts(tokens) == ["a", "=", '"b // c /* d"', ";", "h", "=", "'i\\'j'", ";"]
    assert [(one.text, one.line) for one in comments] == [('// e "f', 1), ("/* g ' */", 2)]


def test_tokens_are_written_as_the_source_has_them() -> None:
    tokens, _ = tokenize("a  +b ==\n c.d(e ,f)")

    assert written(tokens) == "a +b == c.d(e ,f)"


@pytest.mark.parametrize(
    "text",
    [
        'string s = "never closed',
        "/* never closed",
        "contract C { function f() { if (a) { while (",
        "}}}} ))) ]]",
        '"\\',
        "'",
        "$_a1",
        "contract",
        "contract C is",
        "function",
        "function (",
        "pragma",
        "contract C { modifier",
        "contract C { a b c d e; }",
    ],
)
def test_broken_source_is_read_as_far_as_it_goes(text: str) -> None:
    tokens, comments = tokenize(text)
    parse(tokens)

    assert sum(len(one.text) for one in [*tokens, *comments]) == len(re.sub(r"\s", "", text)) or " " in text


def test_statements_are_nested_as_written() -> None:
    tokens, _ = tokenize("contract C { function f() public { if (a) b(); else { c(); } for (;;) { d(); } e(); } }")

    function = parse(tokens).contracts[0].functions[0]

    assert [one.kind for one in function.body] == ["if", "for", "expression"]
    assert [len(one.branches) for one in function.body] == [2, 1, 0]
    simple = [written(one.tokens) for one in function.statements() if one.kind == "expression"]
    assert simple == ["b()", "c()", "d()", "e()"]


def test_try_catch_and_call_options_are_told_apart() -> None:
    code = "try a.b{value: 1}(c) returns (uint d) { e(); } catch { g(); } h();"
    tokens, _ = tokenize(f"contract C {{ function f() public {{ {code} }} }}")

    body = parse(tokens).contracts[0].functions[0].body

    assert [one.kind for one in body] == ["try", "expression"]
    assert len(body[0].branches) == 2


@pytest.mark.parametrize("text", ["", "hello world", "// only a comment", "pragma solidity 0.8.24;", "\x00"])
def test_what_is_no_solidity_is_refused(text: str) -> None:
    with pytest.raises(AgentError, match="is this a Solidity file"):
        check(text)


def test_deep_nesting_is_refused_in_a_sentence() -> None:
    with pytest.raises(AgentError, match="nested too deeply"):
        check("contract C { function f() public " + "{" * 5000 + "}" * 5000 + "}")


def test_report_does_not_let_the_source_become_markup() -> None:
    text = f'{HEAD}contract C {{ address o; modifier m() {{ require(tx.origin == o, "``` <img src=x>"); _; }} }}'

    report = check(text, file_name="<b>|x")["report"]

    assert "<b>" not in report
    assert report.count("```") == 2


def test_the_description_counts_hazards_and_rules_rightly() -> None:
    count = len(rules.CONTRACT_RULES) + len(rules.FILE_RULES)

    assert f"**{len(hazards())} hazards in {count} rules**" in source("solidity_hazards").manifest["description"]
