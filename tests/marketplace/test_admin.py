"""The marketplace in the admin."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from marketplace.models import Agent, AgentVersion, Category, Entitlement, EscrowFact, Purchase
from marketplace.purchases import entitlements, facts
from tests.factories.marketplace import (
    AgentFactory,
    AgentPriceFactory,
    AgentVersionFactory,
    CategoryFactory,
    EntitlementFactory,
    PublishedAgentFactory,
    PurchaseFactory,
)
from tests.marketplace.events import entitlement_event, escrow_event, time_of
from wallets.models import User

pytestmark = pytest.mark.django_db
MODELS = [Agent, AgentVersion, Category, Purchase, Entitlement, EscrowFact]


@pytest.fixture
def admin(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def list_url(model: Any) -> str:
    return reverse(f"admin:marketplace_{model._meta.model_name}_changelist")


def page_url(row: Any) -> str:
    return reverse(f"admin:marketplace_{row._meta.model_name}_change", args=[row.pk])


def found(client: Client, model: Any, **query: str) -> set[Any]:
    response = client.get(list_url(model), query)
    assert response.status_code == 200
    return set(response.context["cl"].queryset)


def act(client: Client, action: str, *rows: Any) -> list[str]:
    """The messages that follow an action on rows of a list."""
    response = client.post(
        list_url(rows[0]), {"action": action, "_selected_action": [str(row.pk) for row in rows]}, follow=True
    )
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("model", MODELS)
def test_lists_are_for_staff(model: Any, user: User, admin: Client) -> None:
    visitor, member = Client(), Client()
    member.force_login(user)
    assert visitor.get(list_url(model)).status_code == 302
    assert member.get(list_url(model)).status_code in (302, 403)
    assert admin.get(list_url(model)).status_code == 200


def test_agents_show_exact_prices_and_live_version(admin: Client, agent: Agent, usdc: str) -> None:
    AgentPriceFactory.create(agent=agent, token=usdc, amount=5_250_000)
    page = admin.get(list_url(Agent)).content.decode()
    assert "0.01 ETH, 5.25 USDC" in page
    assert "1.0.0" in page
    detail = admin.get(page_url(agent)).content.decode()
    assert "5.25 USDC" in detail
    assert agent.live_version.image in detail  # type: ignore[union-attr]


def test_agents_are_filtered_and_searched(admin: Client, agent: Agent, creator: User) -> None:
    CategoryFactory.create(slug="data")
    draft = AgentFactory.create(category_id="data", name="Something else")
    assert found(admin, Agent, status__exact="draft") == {draft}
    assert found(admin, Agent, category__slug__exact="data") == {draft}
    for term in ("summar", "text-summariser", "Grace", creator.primary_address):
        assert found(admin, Agent, q=str(term)) == {agent}
    assert agent in found(admin, Agent, q=str(agent.onchain_id))


def test_suspend_and_restore_are_recorded(admin: Client, agent: Agent) -> None:
    draft = AgentFactory.create(name="Sketch")
    assert act(admin, "suspend_agents", agent, draft) == [
        "Sketch: You cannot suspend this agent: it is draft.",
        "Suspended. 1 changed.",
    ]
    agent.refresh_from_db()
    assert agent.status == "suspended"
    assert LogEntry.objects.get().get_change_message() == "Suspended."
    assert act(admin, "restore_agents", agent) == ["Restored. 1 changed."]
    agent.refresh_from_db()
    assert agent.status == "published"


def test_staff_move_an_agent_to_another_category_and_nothing_else(admin: Client, agent: Agent) -> None:
    CategoryFactory.create(slug="data")
    before = Agent.objects.values().get()
    forged = {"category": "data", "name": "Forged", "status": "archived", "purchase_count": "9", "onchain_id": "1"}
    management = {f"{prefix}-{name}_FORMS": "0" for prefix in ("prices", "versions") for name in ("TOTAL", "INITIAL")}
    assert admin.post(page_url(agent), forged | management).status_code == 302
    after = Agent.objects.values().get()
    changed = {name for name in before if before[name] != after[name]}  # type: ignore[literal-required]
    assert changed == {"category_id", "search_vector", "updated_at"}


def test_withdrawing_a_version(admin: Client, agent: Agent) -> None:
    AgentVersionFactory.create(agent=agent, number="1.1.0")
    version = agent.live_version
    assert act(admin, "withdraw_versions", version) == ["1 withdrawn."]
    assert agent.live_version.number == "1.0.0"  # type: ignore[union-attr]
    assert act(admin, "withdraw_versions", version) == [
        "Text Summariser 1.1.0: You cannot withdraw this version: it is withdrawn."
    ]


def test_viewers_change_nothing(agent: Agent) -> None:
    viewer = User.objects.create_user("viewer@example.org", "correct-horse-battery", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_agent", "view_agentversion"]))
    client = Client()
    client.force_login(viewer)
    act(client, "suspend_agents", agent)
    act(client, "withdraw_versions", agent.live_version)
    agent.refresh_from_db()
    assert (agent.status, agent.live_version.number) == ("published", "1.0.0")  # type: ignore[union-attr]


def test_purchases_show_amounts_with_their_token(admin: Client, agent: Agent, usdc: str) -> None:
    purchase = PurchaseFactory.create(agent=agent, token=usdc, amount=12_340_000, access_duration=86_400)
    assert "12.34 USDC" in admin.get(list_url(Purchase)).content.decode()
    detail = admin.get(page_url(purchase)).content.decode()
    for text in ("12.34 USDC", purchase.payment_id, "1 day, 0:00:00", "12340000"):
        assert text in detail
    assert purchase.signature not in detail


@pytest.mark.parametrize("model", [Purchase, Entitlement, EscrowFact, AgentVersion])
def test_nothing_about_money_and_access_can_be_edited(admin: Client, model: Any, agent: Agent) -> None:
    purchase = PurchaseFactory.create(agent=agent, valid_until=time_of(10**6))
    facts.on_seen(escrow_event(purchase, "PaymentDeposited"))
    EntitlementFactory.create(agent=agent)
    row = model.objects.first()
    before = list(model.objects.values())
    names = {field.name: "1" for field in model._meta.fields}
    assert admin.post(page_url(row), names).status_code == 403
    name = model._meta.model_name
    assert admin.get(reverse(f"admin:marketplace_{name}_add")).status_code == 403
    assert admin.post(reverse(f"admin:marketplace_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    act(admin, "delete_selected", row)
    assert list(model.objects.values()) == before
    assert 'name="_save"' not in admin.get(page_url(row)).content.decode()


def test_agents_are_neither_made_nor_deleted_here(admin: Client, agent: Agent) -> None:
    assert admin.get("/admin/marketplace/agent/add/").status_code == 403
    assert admin.post(f"/admin/marketplace/agent/{agent.pk}/delete/", {"post": "yes"}).status_code == 403


def test_purchases_are_filtered_and_searched(admin: Client, agent: Agent) -> None:
    purchase = PurchaseFactory.create(agent=agent, valid_until=time_of(10**6))
    deposit = escrow_event(purchase, "PaymentDeposited")
    facts.on_confirmed(deposit)
    other = PurchaseFactory.create(network="base", status="lapsed")
    assert found(admin, Purchase, status__exact="active") == {purchase}
    assert found(admin, Purchase, network="base") == {other}
    for term in (
        purchase.payment_id,
        purchase.payment_id[:12],
        deposit.transaction_hash,
        purchase.recipient,
        purchase.creator_address.lower(),
        "text-summariser",
        str(purchase.pk),
    ):
        assert found(admin, Purchase, q=term) == {purchase}, term
    day = datetime.now(UTC)
    assert found(admin, Purchase, created_at__year=str(day.year), created_at__month=str(day.month)) == {purchase, other}


def test_events_that_credit_nobody_are_found(admin: Client) -> None:
    purchase = PurchaseFactory.create(valid_until=time_of(10**6))
    facts.on_seen(escrow_event(purchase, "PaymentDeposited", amount=1))
    facts.on_seen(escrow_event(PurchaseFactory.create(valid_until=time_of(10**6)), "PaymentDeposited", 2))
    (fact,) = found(admin, EscrowFact, problem__exact="terms_differ")
    assert fact.payment_id == purchase.payment_id
    assert fact.event.transaction_hash in admin.get(page_url(fact)).content.decode()


def test_entitlements_are_readable_and_found_by_holder(admin: Client) -> None:
    holder = "0x" + "44" * 20
    entitlements.on_confirmed(entitlement_event(holder, 7, 2_000_000_000, 1))
    entitlements.on_seen(entitlement_event(holder, 7, 2**64 - 1, 2))
    (row,) = found(admin, Entitlement, q=holder)
    page = admin.get(list_url(Entitlement)).content.decode()
    assert "2033-05-18 03:33:20 UTC" in page
    assert "for ever" in page
    assert admin.get(page_url(row)).status_code == 200


def test_lists_cost_the_same_number_of_queries_however_long(
    admin: Client, usdc: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def more() -> None:
        agent = PublishedAgentFactory.create()
        AgentPriceFactory.create(agent=agent, token=usdc)
        purchase = PurchaseFactory.create(agent=agent, valid_until=time_of(10**6))
        facts.on_seen(escrow_event(purchase, "PaymentDeposited"))
        EntitlementFactory.create(agent=agent)

    more()
    costs: dict[Any, int] = {}
    for model in (Agent, AgentVersion, Purchase, Entitlement, EscrowFact):
        admin.get(list_url(model))
        with CaptureQueriesContext(connection) as first:
            admin.get(list_url(model))
        costs[model] = len(first)
    for _ in range(8):
        more()
    for model, cost in costs.items():
        with django_assert_num_queries(cost, info=f"The list of {model.__name__}"):
            admin.get(list_url(model))
