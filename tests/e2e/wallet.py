"""A browser wallet for the tests: a provider announced by EIP-6963 whose keys stay in Python."""

import json
from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Page
from web3 import HTTPProvider, Web3

NAME = "Test Wallet"

ANNOUNCE = """
(() => {
  const listeners = {};
  const emit = (event, value) => (listeners[event] ?? []).forEach((call) => call(value));
  const provider = {
    on(event, call) { (listeners[event] ??= []).push(call); },
    removeListener(event, call) { listeners[event] = (listeners[event] ?? []).filter((other) => other !== call); },
    async request({ method, params = [] }) {
      const answer = await window.__walletRequest(method, params);
      if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
      if (method === "wallet_switchEthereumChain") emit("chainChanged", params[0].chainId);
      return answer.result;
    },
  };
  window.__emitWalletEvent = emit;
  window.__walletListeners = (event) => (listeners[event] ?? []).length;
  const info = Object.freeze({
    uuid: "2f0c2f5e-4f0e-4f0a-8a3c-6c7d6f3b9c11",
    name: "Test Wallet",
    icon: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>",
    rdns: "org.example.testwallet",
  });
  const detail = Object.freeze({ info, provider });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


class WalletRefusal(Exception):  # noqa: N818  EIP-1193 calls it a provider error; the user refusing is none
    """What the wallet answers instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class TestWallet:
    """Signs and sends through the local chain; `refuse` names methods that the person rejects,
    `unknown` those that the wallet does not have."""

    __test__ = False

    def __init__(self, rpc_url: str, ether: int = 10) -> None:
        self.account: LocalAccount = Account.create()
        self.web3 = Web3(HTTPProvider(rpc_url))
        self.chain_id = self.web3.eth.chain_id
        self.refuse: set[str] = set()
        self.unknown: set[str] = set()
        self.calls: list[str] = []
        self.web3.provider.make_request("anvil_setBalance", [self.address, hex(ether * 10**18)])  # type: ignore[arg-type]

    @property
    def address(self) -> str:
        return str(self.account.address)

    def switch_account(self) -> None:
        """Select another account, of no means, in the wallet."""
        self.account = Account.create()

    def install(self, page: Page) -> None:
        """Announce this wallet on every page that `page` opens."""
        page.expose_function("__walletRequest", self._answer)
        page.add_init_script(ANNOUNCE)

    def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        self.calls.append(method)
        try:
            if method in self.refuse:
                raise WalletRefusal(4001, "User rejected the request.")
            if method in self.unknown:
                raise WalletRefusal(4200, f"The wallet does not support {method}.")
            return {"result": self._handler(method)(*params)}
        except WalletRefusal as refusal:
            return {"error": {"code": refusal.code, "message": str(refusal)}}

    def _handler(self, method: str) -> Callable[..., Any]:
        own: dict[str, Callable[..., Any]] = {
            "eth_requestAccounts": lambda *_: [self.address],
            "eth_accounts": lambda: [self.address],
            "eth_chainId": lambda: hex(self.chain_id),
            "personal_sign": self._personal_sign,
            "eth_signTypedData_v4": self._sign_typed_data,
            "eth_sendTransaction": self._send,
            "wallet_switchEthereumChain": self._switch,
            "wallet_addEthereumChain": lambda _chain: None,
        }
        return own.get(method) or (lambda *params: self._forward(method, list(params)))

    def _personal_sign(self, message: str, _address: str) -> str:
        text = encode_defunct(hexstr=message) if message.startswith("0x") else encode_defunct(text=message)
        return str(Web3.to_hex(self.account.sign_message(text).signature))

    def _sign_typed_data(self, _address: str, data: str) -> str:
        signable = encode_typed_data(full_message=json.loads(data))
        return str(Web3.to_hex(self.account.sign_message(signable).signature))

    def _send(self, call: dict[str, str]) -> str:
        transaction: dict[str, Any] = {
            "to": Web3.to_checksum_address(call["to"]),
            "data": call.get("data", "0x"),
            "value": int(call.get("value", "0x0"), 16),
            "from": self.address,
            "chainId": self.web3.eth.chain_id,
            "nonce": self.web3.eth.get_transaction_count(self.account.address),
            "maxFeePerGas": self.web3.eth.gas_price * 2,
            "maxPriorityFeePerGas": 10**9,
        }
        transaction["gas"] = self.web3.eth.estimate_gas(transaction) * 12 // 10  # type: ignore[arg-type]
        raw = self.account.sign_transaction(transaction).raw_transaction
        return str(self.web3.eth.send_raw_transaction(raw).to_0x_hex())

    def _switch(self, chain: dict[str, str]) -> None:
        self.chain_id = int(chain["chainId"], 16)

    def _forward(self, method: str, params: list[Any]) -> Any:
        answer: dict[str, Any] = self.web3.provider.make_request(method, params)  # type: ignore[arg-type,assignment]
        if "error" in answer:
            raise WalletRefusal(int(answer["error"].get("code", -32603)), str(answer["error"].get("message")))
        return answer["result"]
