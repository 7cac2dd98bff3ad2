"""Whose attempts are counted, and how."""

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from tests.wallets.test_signin import unreachable
from wallets.errors import RateUnavailableError
from wallets.rates import Rate
from wallets.signin.client_ip import client_ip, rate_key


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        # nobody is trusted: the header is the client's own words
        ([], "203.0.113.7", "", "203.0.113.7"),
        ([], "203.0.113.7", "1.2.3.4", "203.0.113.7"),
        # one proxy of ours: what it added is the last entry
        (["10.0.0.0/8"], "10.0.0.2", "203.0.113.7", "203.0.113.7"),
        (["10.0.0.0/8"], "10.0.0.2", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        (["10.0.0.0/8"], "10.0.0.2", "10.9.9.9, 203.0.113.7", "203.0.113.7"),
        # two proxies of ours
        (["10.0.0.0/8"], "10.0.0.2", "1.2.3.4, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        # a peer that is no proxy of ours, and headers that are no addresses
        (["10.0.0.0/8"], "203.0.113.7", "1.2.3.4", "203.0.113.7"),
        (["10.0.0.0/8"], "10.0.0.2", "", "10.0.0.2"),
        (["10.0.0.0/8"], "10.0.0.2", "1.2.3.4, unknown", "10.0.0.2"),
        (["10.0.0.0/8"], "10.0.0.2", "<script>", "10.0.0.2"),
        (["10.0.0.0/8"], "10.0.0.2", ", ,", "10.0.0.2"),
        # IPv6
        (["2001:db8::/32"], "2001:db8::1", "2001:470::5", "2001:470::5"),
        (["10.0.0.0/8"], "::ffff:10.0.0.2", "203.0.113.7", "203.0.113.7"),
        # a Unix socket has no peer
        ([], "", "203.0.113.7", "0.0.0.0"),  # noqa: S104
    ],
)
def test_the_client_is_the_rightmost_address_that_no_proxy_of_ours_added(
    proxies: list[str], peer: str, forwarded: str, expected: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_ip(request) == expected


@pytest.mark.parametrize(
    ("ip", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:470:1:2:3:4:5:6", "2001:470:1:2::/64"),
        ("2001:470:1:2::1", "2001:470:1:2::/64"),
    ],
)
def test_an_ipv6_host_counts_as_its_network(ip: str, key: str) -> None:
    assert rate_key(ip) == key


def test_a_rate_allows_its_limit_then_says_how_long_to_wait() -> None:
    rate = Rate("test-allow", 2, 30)
    assert [rate.hit("a"), rate.hit("a")] == [0, 0]
    assert 1 <= rate.hit("a") <= 30
    assert rate.hit("b") == 0


def test_a_new_window_allows_again() -> None:
    rate = Rate("test-window", 1, 1)
    assert rate.hit("a") == 0
    waits = [rate.hit("a")]
    while waits[-1]:
        waits.append(rate.hit("a"))
    assert waits[0] == 1
    assert len(waits) > 1


def test_a_counter_that_cannot_be_read_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wallets.rates.get_redis_connection", unreachable)
    with pytest.raises(RateUnavailableError) as caught:
        Rate("test-closed", 5, 30).hit("a")
    assert (caught.value.http_status, caught.value.permanent) == (503, False)
