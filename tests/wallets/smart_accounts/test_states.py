"""The states of an operation: every way there is, and no other."""

import itertools

import pytest

from chain.networks import default_network
from tests.chain_fixtures import Contracts
from tests.wallets.smart_accounts.helpers import account_of, send_ether
from tests.wallets.smart_accounts.scripted import ScriptedBundler
from wallets.models import User, UserOperation
from wallets.smart_accounts import operations
from wallets.smart_accounts.states import IN_FLIGHT, TRANSITIONS, Happening, Status

WAYS = {
    ("built", "sign"): "signed",
    ("built", "lapse"): "dropped",
    ("signed", "accept"): "submitted",
    ("signed", "refuse"): "failed",
    ("signed", "lose_sight"): "unknown",
    ("submitted", "lose_sight"): "unknown",
    ("unknown", "accept"): "submitted",
    **{(status, "succeed"): "included" for status in ("signed", "submitted", "unknown")},
    **{(status, "revert"): "failed" for status in ("signed", "submitted", "unknown")},
    **{(status, "displace"): "dropped" for status in ("signed", "submitted", "unknown")},
    ("included", "reorg"): "unknown",
    ("failed", "reorg"): "unknown",
}


def test_the_table_is_the_one_written_here() -> None:
    assert {(a.value, b.value): c.value for (a, b), c in TRANSITIONS.items()} == WAYS
    assert {"signed", "submitted", "unknown"} == IN_FLIGHT


@pytest.mark.django_db
def test_every_happening_in_every_state(user: User, scripted: ScriptedBundler, contracts: Contracts) -> None:
    operation = operations.build(account_of(user), [send_ether()], sponsored=False)
    for status, happening in itertools.product(Status, Happening):
        UserOperation.objects.filter(pk=operation.pk).update(status=status)
        operation.refresh_from_db()
        moved = operations.move(operation, happening)
        operation.refresh_from_db()
        wanted = WAYS.get((status.value, happening.value))
        assert (moved, operation.status) == (wanted is not None, wanted or status)


@pytest.mark.django_db
def test_of_two_that_see_the_same_one_moves_the_row(user: User, scripted: ScriptedBundler) -> None:
    mine = operations.build(account_of(user), [send_ether()], sponsored=False)
    UserOperation.objects.filter(pk=mine.pk).update(status=Status.SUBMITTED)
    mine.refresh_from_db()
    other = UserOperation.objects.get(pk=mine.pk)
    assert operations.move(mine, Happening.SUCCEED)
    assert not operations.move(other, Happening.REVERT)
    mine.refresh_from_db()
    assert mine.status == "included"
    assert default_network().slug == "local"
