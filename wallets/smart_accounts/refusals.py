"""What the refusals of bundlers and of the EntryPoint mean, and what to do about them."""

import re

from chain.errors import ChainError, RpcError
from wallets.smart_accounts.entry_point import revert_reason
from wallets.smart_accounts.errors import BundlerRefusedError

_AA = re.compile(r"\bAA(\d\d)\b")
# The EntryPoint's own reasons: https://eips.ethereum.org/EIPS/eip-4337, core/EntryPoint.sol of v0.7.
_SENTENCES = {
    "aa10": "The account is there already. Build the operation again.",
    "aa13": "The account could not be made, or making it ran out of gas. Build the operation again.",
    "aa14": "The account would be made at another address. Build the operation again.",
    "aa15": "The account was not made. Build the operation again.",
    "aa20": "The account is not there yet. Build the operation again.",
    "aa21": "The account holds too little ether to pay for gas. Send it some and try again.",
    "aa22": "The operation has expired. Build it again.",
    "aa23": "The account refused the operation. Build it again and sign it with the account's owner.",
    "aa24": "The signature is not the account owner's. Sign it again with the owner's wallet or passkey.",
    "aa25": "Another operation of this account came first. Build this one again.",
    "aa26": "Checking the signature took more gas than allowed. Build the operation again.",
    "aa30": "The paymaster is not deployed. Pay the gas yourself.",
    "aa31": "The paymaster has too little money left. Pay the gas yourself, or try later.",
    "aa32": "The sponsorship has expired. Build the operation again.",
    "aa33": "The paymaster refused the operation. Pay the gas yourself.",
    "aa34": "The sponsorship is not valid. Build the operation again.",
    "aa36": "The paymaster took more gas than allowed. Build the operation again.",
    "aa40": "Checking the operation took more gas than allowed. Build it again.",
    "aa41": "Too little gas was left for checking. Build the operation again.",
    "aa51": "The operation's gas was less than its cost. Build it again.",
    "aa94": "A gas figure is too large. Build the operation again.",
    "aa95": "The bundle ran out of gas. Try again.",
}
# ERC-7769; what JSON-RPC itself defines keeps its meaning.
_CODES = {
    -32500: "rejected_by_entry_point",
    -32501: "rejected_by_paymaster",
    -32502: "banned_opcode",
    -32503: "expired",
    -32504: "throttled",
    -32505: "stake_too_low",
    -32506: "unsupported_aggregator",
    -32507: "aa24",
    -32508: "aa31",
    -32521: "would_revert",
    -32602: "invalid_operation",
}
_PLAIN = {
    "rejected_by_paymaster": "The paymaster refused the operation. Pay the gas yourself.",
    "expired": "The operation has expired. Build it again.",
    "throttled": "The bundler takes no more from this account at the moment. Try again in a minute.",
    "would_revert": "The operation would fail on the chain",
    "fees_too_low": "The fees are too low for the network now. Build the operation again.",
    "already_known": "The bundler has this operation already.",
}
_FEES = re.compile(r"(max(priority)?feepergas|fee).*(at least|too low|underpriced|must be)|replacement", re.IGNORECASE)
_REVERT = re.compile(r"revert", re.IGNORECASE)
_DATA = re.compile(r"0x((?:[0-9a-f]{2}){4,})", re.IGNORECASE)


def refusal(error: ChainError) -> BundlerRefusedError:
    """What a bundler's JSON-RPC error means."""
    number = error.rpc_code if isinstance(error, RpcError) else 0
    text = error.message
    found = _AA.search(text)
    if found:
        code = f"aa{found[1]}"
    elif "already known" in text.lower():
        code = "already_known"
    elif _FEES.search(text):
        code = "fees_too_low"
    elif number == -32521 or (number not in _CODES and _REVERT.search(text)):
        code = "would_revert"
    else:
        code = _CODES.get(number, "bundler_refused")
    sentence = _SENTENCES.get(code) or _PLAIN.get(code) or f"The bundler refused the operation: {text[:300]}"
    if code == "would_revert":
        sentence = f"{sentence}: {_reason(text)}"
    return BundlerRefusedError(sentence, code=code)


def _reason(text: str) -> str:
    """The error of the contract that was called, which bundlers quote in hex."""
    found = _DATA.search(text)
    return revert_reason(bytes.fromhex(found[1])) if found else text[:300]
