"""Which calls operations are built for."""

import pytest

from chain.bindings.erc20 import Erc20
from chain.calls import Call
from tests.chain_fixtures import Contracts
from tests.wallets.smart_accounts.helpers import NOBODY, send_ether
from wallets.smart_accounts.calls import MOST_CALLS, checked
from wallets.smart_accounts.errors import CallNotAllowedError

pytestmark = pytest.mark.django_db
ACCOUNT = "0x00000000000000000000000000000000000A11cE"


def test_what_people_need_is_allowed_and_named(contracts: Contracts) -> None:
    erc20 = Erc20(contracts.network, contracts.usdc)
    approve = erc20.encode_approve(contracts.escrow.address, 5)
    release = contracts.escrow.encode_release("0x" + "12" * 32)
    transfer = erc20.contract.call("transfer", NOBODY, 1_500_000)
    for calls, purpose, sponsorable in (
        ([approve, release], "Release a payment", True),
        ([contracts.escrow.encode_withdraw(NOBODY, ACCOUNT)], "Withdraw from escrow", True),
        ([transfer], "Send 1.5 USDC", False),
        ([send_ether(10**17), release], "Send 0.1 ETH; Release a payment", False),
    ):
        found = checked(contracts.network, ACCOUNT, calls)
        assert (found.purpose, found.sponsorable) == (purpose, sponsorable)


def test_everything_else_is_refused(contracts: Contracts) -> None:
    chain_id, escrow = contracts.network.chain_id, contracts.escrow
    erc20 = Erc20(contracts.network, contracts.usdc)
    release = escrow.encode_release("0x" + "12" * 32)
    refused = [
        Call(1, NOBODY, b"", 1),  # another chain
        Call(chain_id, None, b"\x60\x00"),  # creates a contract
        Call(chain_id, ACCOUNT, b"\x4f\x1e\xf2\x86", 0),  # the account itself: upgrades
        Call(chain_id, NOBODY, b"\x01\x02\x03\x04", 0),  # somebody else's function
        Call(chain_id, NOBODY, b"", 0),  # nothing at all
        Call(chain_id, escrow.address, escrow.contract.call("pause").data),  # not for buyers
        Call(chain_id, escrow.address, release.data, 5),  # ether would be lost
        Call(chain_id, escrow.address, b"", 5),
        erc20.encode_approve(NOBODY, 5),  # another spender
        erc20.contract.call("transferFrom", ACCOUNT, NOBODY, 5),
        Call(chain_id, contracts.usdc.address, erc20.encode_approve(escrow.address, 5).data, 1),
        Call(chain_id, contracts.usdc.address, erc20.encode_approve(escrow.address, 5).data + b"\x00"),
        erc20.contract.call("transfer", "0x" + "00" * 20, 5),
    ]
    for call in refused:
        with pytest.raises(CallNotAllowedError, match="Call 2 is not allowed"):
            checked(contracts.network, ACCOUNT, [release, call])
    for calls in ([], [send_ether()] * (MOST_CALLS + 1)):
        with pytest.raises(CallNotAllowedError, match="1 to 8 calls"):
            checked(contracts.network, ACCOUNT, calls)
