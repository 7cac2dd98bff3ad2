"""What creators set for their agents, and that it holds."""

import pytest
from pytest_django import Settings

from executions import dispatch
from executions.errors import DailyQuotaError
from executions.models import AgentQuota
from tests.account_fixtures import ApiFor
from tests.factories.executions import ExecutionFactory, version_of
from tests.factories.marketplace import grant_access
from wallets.models import User

pytestmark = pytest.mark.django_db
IMAGE = "agentnexus/x@sha256:" + "1" * 64


def test_creator_sets_reads_and_lifts_limits(api: ApiFor) -> None:
    agent = version_of(IMAGE).agent
    url = f"/api/v1/agents/{agent.slug}/quota"
    none = {"concurrent": None, "daily": None, "daily_per_user": None}
    assert api(agent.creator).get(url).json() == none
    set_to = api(agent.creator).put(url, {"concurrent": 2, "daily_per_user": 5})
    assert (set_to.status_code, set_to.json()) == (200, {"concurrent": 2, "daily": None, "daily_per_user": 5})
    assert AgentQuota.objects.get().concurrent == 2
    assert api(agent.creator).put(url, {}).json() == none


@pytest.mark.parametrize("value", [0, -1, "many", 1.5])
def test_senseless_limits_are_refused(api: ApiFor, value: object) -> None:
    agent = version_of(IMAGE).agent
    refused = api(agent.creator).put(f"/api/v1/agents/{agent.slug}/quota", {"daily": value})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/daily"


def test_no_more_than_the_platform_allows(api: ApiFor, settings: Settings) -> None:
    settings.EXECUTION_CONCURRENT_PER_AGENT = 3
    agent = version_of(IMAGE).agent
    refused = api(agent.creator).put(f"/api/v1/agents/{agent.slug}/quota", {"concurrent": 4})
    assert refused.json()["errors"] == [{"pointer": "/concurrent", "message": "The platform allows at most 3."}]


def test_others_see_and_set_nothing(api: ApiFor, stranger: User) -> None:
    url = f"/api/v1/agents/{version_of(IMAGE).agent.slug}/quota"
    assert api(stranger).get(url).status_code == 404
    assert api(stranger).put(url, {"daily": 1}).status_code == 404
    assert api(None).get(url).status_code == 401


def test_daily_quotas_count_what_was_asked_for_but_not_what_the_platform_failed(user: User, settings: Settings) -> None:
    version = version_of(IMAGE)
    grant_access(user, version.agent)
    AgentQuota.objects.create(agent=version.agent, daily_per_user=2)
    ExecutionFactory.create(user=user, version=version, status="failed", reason="infrastructure")
    ExecutionFactory.create(user=user, version=version, status="succeeded")
    dispatch.request(user, version.agent, {})
    with pytest.raises(DailyQuotaError) as refused:
        dispatch.request(user, version.agent, {})
    assert refused.value.message.startswith("You have started 2 runs of this agent today, ")
    assert 0 < (refused.value.retry_after or 0) <= 24 * 3600 + 1
    AgentQuota.objects.update(daily_per_user=None, daily=2)
    with pytest.raises(DailyQuotaError, match="This agent has been run 2 times today"):
        dispatch.request(user, version.agent, {})
    AgentQuota.objects.all().delete()
    settings.EXECUTION_DAILY_PER_USER = 2
    with pytest.raises(DailyQuotaError, match="You have started 2 runs today"):
        dispatch.request(user, version.agent, {})
