"""Ethereum addresses as people and programs write them."""

from chain.forms import parse_address
from wallets.errors import InvalidAddressError


def checksummed(text: str) -> str:
    """The EIP-55 form. Wallets also hand out all-lower-case addresses; mixed case must carry the right checksum.

    Raises InvalidAddressError.
    """
    try:
        return parse_address(text)
    except ValueError as exc:
        raise InvalidAddressError(str(exc), fields={"address": str(exc)}) from exc
