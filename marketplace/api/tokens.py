"""Amounts and tokens as the API shows them."""

from typing import Any

from chain.api.serializers import TokenSerializer
from chain.errors import UnknownNetworkError
from chain.networks import get_network
from chain.tokens import Token, format_amount, tokens_for


class TokenBook:
    """The tokens of every network a response speaks of, looked up once each."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Token]] = {}

    def find(self, network: str, address: str) -> Token:
        """The token at `address`; one that is no longer accepted is shown in its base units."""
        if network not in self._known:
            try:
                tokens = tokens_for(get_network(network))
            except UnknownNetworkError:
                tokens = ()
            self._known[network] = {token.address: token for token in tokens}
        return self._known[network].get(address) or Token(address, address, 0, "A token no longer accepted")

    @classmethod
    def of(cls, context: dict[str, Any]) -> "TokenBook":
        """The book that all serializers of one response share by their context."""
        book = context.setdefault("token_book", cls())
        assert isinstance(book, cls)  # noqa: S101  nobody else uses this key
        return book


def amount_fields(amount: int, token: Token) -> dict[str, Any]:
    """`{token, amount, amount_display}`: the exact base units as a string, and what people read."""
    return {
        "token": TokenSerializer(token).data,
        "amount": str(amount),
        "amount_display": format_amount(amount, token),
    }
