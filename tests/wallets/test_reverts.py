"""The sentences for errors of the contracts are about errors that the contracts have."""

import re
from pathlib import Path

from chain import artefacts

SOURCE = Path(__file__).resolve().parents[2] / "wallets" / "static" / "wallets" / "reverts.js"
LINE = re.compile(r'"(0x[0-9a-f]{8})": \["(\w+)", "(.+)"\], // (\w+)')
# Errors that no call of a page can meet: of the owner's settings, of construction, and of our own mistakes.
NOT_FOR_PEOPLE = {
    *("ExpectedPause", "FeeTooHigh", "InvalidShortString", "NotArbiter", "NotEnoughGas", "OwnableInvalidOwner"),
    *("OwnableUnauthorizedAccount", "PeriodOutOfRange", "ReentrancyGuardReentrantCall", "RefundShareTooHigh"),
    *("RenouncingDisabled", "SafeCastOverflowedUintDowncast", "StringTooLong", "TokenHasNoCode", "WrongTokenAmount"),
    *("WrongValue", "ZeroAddress", "EtherNotAllowed"),
}


def sentences() -> dict[str, tuple[str, str]]:
    return {match[1]: (match[4], match[3]) for match in LINE.finditer(SOURCE.read_text())}


def test_every_selector_is_the_one_of_its_error() -> None:
    names = (artefacts.ESCROW, artefacts.ENTITLEMENTS, artefacts.TEST_USDC)
    errors = {
        "0x" + selector.hex(): name
        for contract in names
        for selector, (name, _) in artefacts.load(contract).interface._errors.items()
    }
    found = sentences()
    assert len(found) > 20
    assert {selector: name for selector, (name, _) in found.items()} == {
        selector: errors.get(selector) for selector in found
    }


def test_every_error_of_the_escrow_that_a_person_can_meet_has_a_sentence() -> None:
    known = {name for name, _ in artefacts.load(artefacts.ESCROW).interface._errors.values()}
    told = {name for name, _ in sentences().values()}
    assert known - told == NOT_FOR_PEOPLE & known
    assert all(sentence.endswith(".") for _, sentence in sentences().values())
