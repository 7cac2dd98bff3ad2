"""Amounts as people write them, without ever touching a float."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import InvalidAmountError, UnknownTokenError
from chain.networks import default_network
from chain.tokens import NATIVE, UINT256_MAX, Token, format_amount, format_units, get_token, parse_amount, tokens_for
from tests.chain_fixtures import Contracts

ETH = Token("ETH", NATIVE, 18, "Ether")
USDC = Token("USDC", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", 6, "USD Coin")


@pytest.mark.parametrize(
    ("text", "token", "amount"),
    [
        ("0.01", ETH, 10**16),
        ("1", ETH, 10**18),
        ("1.", ETH, 10**18),
        (".5", USDC, 500_000),
        ("0", USDC, 0),
        ("00012.50 USDC", USDC, 12_500_000),
        (" 3 eth ", ETH, 3 * 10**18),
        ("0.000000000000000001", ETH, 1),
        ("1.000000000", USDC, 1_000_000),
    ],
)
def test_amounts_are_parsed_exactly(text: str, token: Token, amount: int) -> None:
    assert parse_amount(text, token) == amount


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "-1", "+1", "1e18", "1,5", "1 000", "0x10", "1.2.3", "NaN", "inf", "ETH", "1 USDC", "9" * 80),
        *("\N{ARABIC-INDIC DIGIT ONE}", str(2**256 // 10**18 + 1)),
    ],
)
def test_other_texts_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidAmountError) as caught:
        parse_amount(text, ETH)
    assert caught.value.message.endswith(".")
    assert caught.value.http_status == 422


def test_more_decimals_than_the_token_has_are_refused() -> None:
    with pytest.raises(InvalidAmountError, match="USDC has 6 decimals; this amount has 7"):
        parse_amount("0.0000001", USDC)


@pytest.mark.parametrize(
    ("amount", "token", "text"),
    [
        (0, ETH, "0 ETH"),
        (1, ETH, "0.000000000000000001 ETH"),
        (10**16, ETH, "0.01 ETH"),
        (10**18, ETH, "1 ETH"),
        (5_000_000, USDC, "5 USDC"),
        (1_234_567_890, USDC, "1234.56789 USDC"),
        (UINT256_MAX, ETH, f"{UINT256_MAX // 10**18}.{UINT256_MAX % 10**18:018d} ETH"),
    ],
)
def test_amounts_are_shown_exactly(amount: int, token: Token, text: str) -> None:
    assert format_amount(amount, token) == text


def test_negative_and_indivisible_amounts_are_shown() -> None:
    assert format_units(-1_500_000, 6) == "-1.5"
    assert format_units(7, 0) == "7"


@given(st.integers(0, UINT256_MAX), st.sampled_from([ETH, USDC, Token("X", NATIVE, 0, "X")]))
def test_what_is_shown_is_parsed_back(amount: int, token: Token) -> None:
    assert parse_amount(format_amount(amount, token), token) == amount


@pytest.mark.django_db
def test_ether_comes_first_and_usdc_where_it_is_known(contracts: Contracts) -> None:
    assert [token.symbol for token in tokens_for(contracts.network)] == ["ETH", "USDC"]
    assert get_token(contracts.network, contracts.usdc.address.lower()) == contracts.usdc
    assert get_token(contracts.network, "eth").is_native


@pytest.mark.django_db
def test_without_a_deployment_there_is_only_ether() -> None:
    assert [token.symbol for token in tokens_for(default_network())] == ["ETH"]
    with pytest.raises(UnknownTokenError, match=r"USDC is not accepted on Local chain\. Use ETH"):
        get_token(default_network(), "USDC")
