"""The local node behind the demo wallet. Everything here refuses any chain but anvil's 31337."""

from typing import Any

from web3 import Web3
from web3.types import RPCEndpoint

from chain.bindings.erc20 import Erc20
from chain.networks import Network, default_network
from chain.rpc import connect
from chain.tokens import get_token
from wallets.errors import WalletError

LOCAL_CHAIN_ID = 31337
ETH_WEI = 10 * 10**18
USDC_UNITS = 1_000 * 10**6


class NotLocalError(WalletError):
    """The demo wallet was asked for on a chain where money is real."""

    code = "not_local"
    http_status = 403

    def __init__(self) -> None:
        super().__init__("The demo wallet works on the local chain only.")


def local_node() -> tuple[Network, Web3]:
    """The default network's node, after asking the node itself which chain it is. Raises NotLocalError, ChainError."""
    network = default_network()
    if not network.is_local or network.chain_id != LOCAL_CHAIN_ID:
        raise NotLocalError
    web3 = connect(network)
    if web3.eth.chain_id != LOCAL_CHAIN_ID:
        raise NotLocalError
    return network, web3


def fund(address: str) -> str | None:
    """Top the address up to 10 ETH and 1,000 TestUSDC. Returns the hash of the minting transaction, if one was needed.

    Topping up rather than adding, so that asking twice gives nothing more.
    """
    network, web3 = local_node()
    recipient = Web3.to_checksum_address(address)
    if web3.eth.get_balance(recipient) < ETH_WEI:
        web3.provider.make_request(RPCEndpoint("anvil_setBalance"), [recipient, hex(ETH_WEI)])
    usdc = Erc20(network, get_token(network, "USDC"))
    missing = USDC_UNITS - usdc.balance_of(recipient)
    if missing <= 0:
        return None
    mint = usdc.encode_mint(recipient, missing)
    # Anvil signs for its own accounts; the last one has no other role here.
    sent = web3.eth.send_transaction(
        {"from": web3.eth.accounts[-1], "to": Web3.to_checksum_address(usdc.token.address), "data": mint.data}
    )
    web3.eth.wait_for_transaction_receipt(sent, timeout=15, poll_latency=0.1)
    return str(Web3.to_hex(sent))


def forward(method: str, params: list[Any]) -> dict[str, Any]:
    """Pass one JSON-RPC call to the node; returns its `result` or `error` member."""
    _, web3 = local_node()
    answer = web3.provider.make_request(RPCEndpoint(method), params)
    return {"error": answer["error"]} if "error" in answer else {"result": answer.get("result")}
