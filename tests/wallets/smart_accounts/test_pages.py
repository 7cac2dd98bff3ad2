"""The profile's smart accounts, the order page's choice, the admin, the health report, the periodic chore."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from chain.networks import default_network
from tests.bundler_fixtures import use_bundlers
from tests.chain_fixtures import Contracts
from tests.factories.marketplace import PublishedAgentFactory
from tests.wallets.smart_accounts.helpers import account_of, give, send_ether, submit
from tests.wallets.smart_accounts.scripted import ScriptedBundler
from wallets.models import User, UserOperation
from wallets.smart_accounts import health, operations
from wallets.smart_accounts.tasks import follow_user_operations

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client, user: User) -> Client:
    """`user`, signed in."""
    client.force_login(user, backend="wallets.signin.backends.WalletBackend")
    return client


def on_its_way(user: User, scripted: ScriptedBundler) -> UserOperation:
    operation = operations.build(account_of(user), [send_ether(10**15)], sponsored=False)
    scripted.answers["eth_sendUserOperation"] = operation.user_op_hash
    return submit(user, operation)


def test_without_an_account_the_profile_offers_one(browser: Client, user: User, scripted: ScriptedBundler) -> None:
    page = browser.get(reverse("wallets:profile")).content.decode()
    assert "No smart account yet" in page
    assert f'data-open-wallet="{user.primary_address}"' in page
    assert "data-open-passkey" in page


def test_the_profile_shows_account_and_operations(browser: Client, user: User, scripted: ScriptedBundler) -> None:
    operation = on_its_way(user, scripted)
    page = browser.get(reverse("wallets:profile")).content.decode()
    assert f'data-address="{operation.account.address}"' in page
    assert "Not on the chain yet" in page
    assert "To fill it, send ETH or USDC on Local chain to this address" in page
    assert "Send 0.001 ETH" in page
    assert "Sent to the bundler" in page
    assert "data-replace" in page
    assert "data-open-wallet" not in page  # the only wallet has its account


def test_where_there_is_no_bundler_nothing_is_offered(
    browser: Client, contracts: Contracts, settings: Settings
) -> None:
    use_bundlers(settings)
    assert 'id="smart-accounts"' not in browser.get(reverse("wallets:profile")).content.decode()


def test_the_order_page_offers_the_account(browser: Client, user: User, scripted: ScriptedBundler) -> None:
    agent = PublishedAgentFactory.create()
    path = reverse("marketplace:buy", args=[agent.slug])
    assert "Pay from" not in browser.get(path).content.decode()
    account = account_of(user)
    page = browser.get(path).content.decode()
    assert "Pay from" in page
    assert f'data-address="{account.address}"' in page


def test_staff_look_and_change_nothing(client: Client, user: User, staff: User, scripted: ScriptedBundler) -> None:
    operation = on_its_way(user, scripted)
    client.force_login(staff, backend="wallets.signin.backends.EmailBackend")
    session: Any = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": 1}]
    session.save()
    for name, pk in (("smartaccount", operation.account_id), ("useroperation", operation.pk)):
        listed = client.get(reverse(f"admin:wallets_{name}_changelist"), {"q": operation.account.address})
        assert listed.status_code == 200
        assert operation.account.address in listed.content.decode()
        shown = client.get(reverse(f"admin:wallets_{name}_change", args=[pk]))
        assert shown.status_code == 200
        assert "_save" not in shown.content.decode()
        assert client.get(reverse(f"admin:wallets_{name}_add")).status_code == 403


def test_the_health_report_names_what_is_stuck(user: User, scripted: ScriptedBundler) -> None:
    bundlers, waiting = health.status()
    assert (bundlers["name"], bundlers["ok"], bundlers["detail"]) == ("accounts:local:bundlers", True, "1 answer")
    assert (waiting["ok"], waiting["detail"]) == (True, "0 on their way, 0 of them unknown")
    operation = on_its_way(user, scripted)
    UserOperation.objects.update(signed_at=timezone.now() - health.STUCK * 2, status="unknown")
    waiting = health.status()[1]
    assert not waiting["ok"]
    assert f"1 stuck, the oldest for 10 min: {operation.pk} (unknown)" in waiting["detail"]


def test_the_health_report_says_that_no_bundler_answers(scripted: ScriptedBundler) -> None:
    scripted.answers["eth_chainId"] = "0x1"
    assert health.status()[0]["ok"] is False
    assert "is on chain 1" in health.status()[0]["detail"]


def test_the_chore_follows_and_drops(user: User, scripted: ScriptedBundler) -> None:
    followed = on_its_way(user, scripted)
    UserOperation.objects.update(checked_at=None)
    account = account_of(user)
    UserOperation.objects.filter(pk=followed.pk).update(status="dropped", confirmed_at=timezone.now())
    late = operations.build(account, [send_ether(7)], sponsored=False)
    UserOperation.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    UserOperation.objects.filter(pk=followed.pk).update(status="submitted", confirmed_at=None)
    follow_user_operations()
    followed.refresh_from_db()
    late.refresh_from_db()
    assert (followed.status, late.status) == ("submitted", "dropped")
    assert followed.checked_at is not None
    give(account.address, 0)
    assert default_network().slug == "local"
