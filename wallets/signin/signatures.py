"""Whether a signature over a text was made by an address."""

import re

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

MAX_SIGNATURE_LENGTH = 8192
# 27 and 28, or 0 and 1 as hardware wallets write them. eth_account would also take EIP-155's values, which belong to
# transactions and would give a signature more spellings.
_EOA_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{128}(?:1[bBcC]|0[01])", re.ASCII)
# secp256k1's group order; the upper half of s would give every signature a second spelling (EIP-2).
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def signed_by_key(address: str, text: str, signature: str) -> bool:
    """Whether the private key of `address` made this EIP-191 signature over exactly this text."""
    if not _EOA_SIGNATURE.fullmatch(signature):
        return False
    if int(signature[66:130], 16) > _HALF_ORDER:
        return False
    try:
        return bool(Account.recover_message(encode_defunct(text=text), signature=signature) == address)
    except (ValueError, BadSignature, ValidationError):
        return False
