"""Which addresses are on the public internet."""

import pytest

from executions.runners.docker.addresses import is_public


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "100.100.100.200", "224.0.0.1", "255.255.255.255"),
        *("::1", "fd00:ec2::254", "fe80::1%eth0", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1"),
        *("2002:a00:1::", "ff02::1"),
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public(address)
