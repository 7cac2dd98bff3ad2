"""Tokens people pay in, and amounts as people write them. All arithmetic is on integers."""

import re
from dataclasses import dataclass

from chain.artefacts import TEST_USDC
from chain.errors import InvalidAmountError, UnknownTokenError
from chain.models import Deployment
from chain.networks import Network

NATIVE = "0x0000000000000000000000000000000000000000"
UINT256_MAX = 2**256 - 1
_AMOUNT = re.compile(r"([0-9]*)(?:\.([0-9]*))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A currency: `address` is NATIVE for ether; one unit is 10**decimals base units (wei for ether)."""

    symbol: str
    address: str
    decimals: int
    name: str

    @property
    def is_native(self) -> bool:
        """Whether this is the network's own currency."""
        return self.address == NATIVE


def tokens_for(network: Network) -> tuple[Token, ...]:
    """What can be paid in on `network`: ether first, then USDC where it is known."""
    native = Token(network.native_symbol, NATIVE, 18, "Ether")
    usdc = network.usdc or _test_usdc(network)
    return (native, Token("USDC", usdc, 6, "USD Coin")) if usdc else (native,)


def get_token(network: Network, symbol_or_address: str) -> Token:
    """The token by symbol or address, in any case. Raises UnknownTokenError."""
    wanted = symbol_or_address.strip().lower()
    tokens = tokens_for(network)
    for token in tokens:
        if wanted in (token.symbol.lower(), token.address.lower()):
            return token
    known = " or ".join(token.symbol for token in tokens)
    raise UnknownTokenError(f"{symbol_or_address[:64]} is not accepted on {network.name}. Use {known}.")


def format_amount(amount: int, token: Token) -> str:
    """`amount` base units as "0.01 ETH": exact, without trailing zeros."""
    return f"{format_units(amount, token.decimals)} {token.symbol}"


def format_units(amount: int, decimals: int) -> str:
    """`amount` base units as a decimal number, exact, without trailing zeros."""
    sign, digits = ("-", str(-amount)) if amount < 0 else ("", str(amount))
    digits = digits.rjust(decimals + 1, "0")
    whole, fraction = (digits[:-decimals], digits[-decimals:].rstrip("0")) if decimals else (digits, "")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def parse_amount(text: str, token: Token) -> int:
    """Base units from what a person wrote, such as "0.01" or "0.01 ETH".

    Raises InvalidAmountError for signs, exponents, separators, more decimals than the token has, and what does not fit
    a uint256.
    """
    number = text.strip()
    if number.lower().endswith(token.symbol.lower()):
        number = number[: -len(token.symbol)].rstrip()
    if "," in number:
        raise InvalidAmountError("Write the amount with a point and without separators, for example 1234.5.")
    match = _AMOUNT.fullmatch(number)
    if match is None or not (match[1] or match[2]):
        raise InvalidAmountError("Enter an amount as a plain number, for example 0.01.")
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > token.decimals:
        raise InvalidAmountError(f"{token.symbol} has {token.decimals} decimals; this amount has {len(fraction)}.")
    if len(match[1].lstrip("0")) > 78:
        raise InvalidAmountError("The amount is too large.")
    amount = int(match[1] or "0") * int(10**token.decimals) + int(fraction.ljust(token.decimals, "0") or "0")
    if amount > UINT256_MAX:
        raise InvalidAmountError("The amount is too large.")
    return amount


def _test_usdc(network: Network) -> str:
    if not network.is_local:
        return ""
    row = Deployment.objects.filter(network=network.slug, contract=TEST_USDC).first()
    return row.address if row else ""
