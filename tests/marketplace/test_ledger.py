"""The ledger held against the escrow, written anew from events, and payouts too small to be worth their gas."""

import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from chain import findings
from chain.listener.run import Follower
from chain.models import Cursor
from chain.tokens import NATIVE, Token
from marketplace.models import Agent, Credit, Purchase, Withdrawal
from marketplace.payouts.exits import WAIT_FOR_MORE_SECONDS
from marketplace.payouts.least import check_least_payouts, least_payout
from marketplace.payouts.reconciling import ledger_findings
from marketplace.payouts.states import Status
from marketplace.purchases.timeline import timeline
from tests.marketplace.settling import DAY, RELEASABLE, Later, Platform, Send, buy, exit_of, fresh, steps_of, with_gas
from tests.pages import text
from wallets.models import User

PRICE = 10**16


def differing(platform: Platform, most: int = 200) -> list[str]:
    return [f"{each.name}: {each.detail}" for each in ledger_findings(platform.contracts.network, most) if not each.ok]


def test_sound_books_agree_and_wrong_ones_are_named_and_written_anew(
    bought: Purchase, platform: Platform, later: Later
) -> None:
    # given: paid, then released, so that creator and platform are owed
    said = [each.detail for each in ledger_findings(platform.contracts.network, 200)]
    assert said == ["0.01 ETH held and 0 ETH credited, the events say 0.01 ETH", "0 accounts compared"]
    later(RELEASABLE)
    platform.work()
    assert differing(platform) == []

    # when: a credit says another amount, and one is missing
    Credit.objects.filter(kind="sale").update(amount=5)
    Credit.objects.get(kind="fee").delete()

    # then
    found = differing(platform)
    assert len(found) == 2
    assert found[0].startswith(
        "ledger's ETH: 0 ETH held and 0.000000000000000005 ETH credited, the events say 0.01 ETH. A deposit that is no "
        "purchase of ours, or our books are wrong. Run: manage.py rebuild_ledger"
    )
    assert found[1].startswith(f"ledger's credits: 1 differ, first {bought.creator_address}: 0.00975 ETH on the chain")

    # and
    out = StringIO()
    call_command("rebuild_ledger", "local", stdout=out)
    assert "2 events noted again" in out.getvalue()
    assert differing(platform) == []


def test_a_payout_that_the_ledger_does_not_know_is_found_and_written_anew(
    bought: Purchase, creator: User, platform: Platform, send: Send
) -> None:
    send(platform.contracts.escrow.encode_refund(bought.payment_id), with_gas(creator, platform.contracts))
    platform.listener.confirm()
    platform.work()
    assert differing(platform) == []
    Withdrawal.objects.all().delete()
    account = f"{bought.payer}: 0 ETH on the chain, 0.01 ETH here"
    assert f"ledger's credits: 1 differ, first {account}" in differing(platform)[1]
    # Those that changed last are compared; none is none.
    assert len(differing(platform, 0)) == 1
    call_command("rebuild_ledger", stdout=StringIO())
    assert differing(platform) == []
    assert Withdrawal.objects.get().amount == PRICE


def test_the_hourly_look_tells_health_and_the_admin_of_the_ledger(
    bought: Purchase, platform: Platform, staff: User
) -> None:
    page = reverse("admin:chain_cursor_change", args=[Cursor.objects.get().pk])
    client = Client()
    client.force_login(staff)
    assert "Not done yet" in text(client.get(page))
    Purchase.objects.update(status="lapsed")
    follower = Follower(platform.contracts.network, threading.Event())
    follower._audit()
    assert follower._drift.startswith("ledger's ETH: 0 ETH held and 0 ETH credited, the events say 0.01 ETH")
    kept = findings.newest(platform.contracts.network)
    assert kept is not None
    assert [each.name for each in kept.findings if not each.ok] == ["ledger's ETH"]
    said = text(client.get(page))
    assert "differs</strong>" in said
    assert "Run: manage.py rebuild_ledger" in said


# --- payouts that are not worth their gas


def test_a_small_refund_waits_for_its_owner_or_for_more(
    agent: Agent, rich_buyer: User, creator: User, platform: Platform, send: Send, settings: Settings
) -> None:
    settings.LEAST_AUTOMATIC_PAYOUT = {"ETH": "0.015"}
    Agent.objects.update(access_duration=DAY)
    agent.refresh_from_db()
    first, second = (buy(rich_buyer, agent, platform.contracts) for _ in range(2))
    account = with_gas(creator, platform.contracts)

    # when the first is refunded, it is too little
    send(platform.contracts.escrow.encode_refund(first.payment_id), account)
    platform.listener.confirm()
    platform.work(2)
    step = exit_of(first, "withdrawal")
    assert (step.status, step.transaction, step.attempts) == (Status.WAITING, None, 0)
    assert (step.next_at - step.updated_at).total_seconds() == pytest.approx(WAIT_FOR_MORE_SECONDS, abs=5)
    assert timeline(fresh(first))[-1].text.startswith("The platform pays the gas of payouts from 0.015 ETH on.")

    # and when the second makes it enough, both go in one payout
    send(platform.contracts.escrow.encode_refund(second.payment_id), account)
    platform.listener.confirm()
    platform.work(3)
    assert [steps_of(each) for each in (first, second)] == [{"withdrawal": "done"}] * 2
    assert Withdrawal.objects.get().amount == 2 * PRICE


def test_the_least_is_read_by_the_decimals_of_the_token_and_may_be_nothing(settings: Settings) -> None:
    usdc, ether = Token("USDC", "0x" + "11" * 20, 6, "USD Coin"), Token("ETH", NATIVE, 18, "Ether")
    assert (least_payout(usdc), least_payout(ether)) == (50_000, 10**13)
    settings.LEAST_AUTOMATIC_PAYOUT = {"ETH": "0", "USDC": "0.0000019"}
    assert (least_payout(usdc), least_payout(ether)) == (1, 0)
    settings.LEAST_AUTOMATIC_PAYOUT = {}
    assert least_payout(ether) == 0
    assert check_least_payouts() == []
    settings.LEAST_AUTOMATIC_PAYOUT = {"ETH": "1e-5"}
    assert [error.id for error in check_least_payouts()] == ["marketplace.E001"]
    assert "LEAST_AUTOMATIC_PAYOUT, ETH: Enter an amount as a plain number" in check_least_payouts()[0].msg
