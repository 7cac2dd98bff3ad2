"""The main paths once, through Brownie's own bindings."""

import brownie
from brownie import chain
from quotes import DISPUTE_WINDOW, ETHER, FEE_BPS, HOLD_PERIOD, set_time

PRICE = 10**16


def test_bought_released_and_withdrawn(market):
    buyer, creator = market.people[0], market.people[1]
    bought = market.deposit(market.quote(buyer, creator))
    payment = bought.events["PaymentDeposited"]["paymentId"]
    assert market.entitlements.hasValidToken(buyer, 7)
    assert market.escrow.balance() == PRICE

    set_time(bought.timestamp + DISPUTE_WINDOW)
    market.escrow.releasePayment(payment, {"from": market.people[3]})
    fee = PRICE * FEE_BPS // 10_000
    assert market.escrow.withdrawable(ETHER, creator) == PRICE - fee

    before = creator.balance()
    market.escrow.withdraw(ETHER, creator, {"from": market.people[3]})
    assert creator.balance() == before + PRICE - fee
    assert market.escrow.balance() == fee


def test_refunded_by_anyone_after_expiry(market):
    buyer, creator = market.people[0], market.people[1]
    bought = market.deposit(market.quote(buyer, creator, token=market.usdc.address, amount=25 * 10**6))
    payment = bought.events["PaymentDeposited"]["paymentId"]

    set_time(bought.timestamp + DISPUTE_WINDOW + HOLD_PERIOD)
    market.escrow.refundPayment(payment, {"from": market.people[3]})
    before = market.usdc.balanceOf(buyer)
    market.escrow.withdraw(market.usdc, buyer, {"from": market.people[3]})
    assert market.usdc.balanceOf(buyer) == before + 25 * 10**6


def test_refund_takes_the_access_back(market):
    buyer, creator = market.people[0], market.people[1]
    payment = market.deposit(market.quote(buyer, creator, access_duration=0)).return_value
    assert market.entitlements.expiresAt(buyer, 7) == 2**64 - 1
    market.escrow.refundPayment(payment, {"from": creator})
    assert market.entitlements.expiresAt(buyer, 7) == 0


def test_a_quote_changed_after_signing_is_refused(market):
    quote = market.quote(market.people[0], market.people[1])
    signature = market.sign(quote)
    cheaper = (*quote.as_tuple()[:5], quote.amount - 1, *quote.as_tuple()[6:])
    with brownie.reverts():
        market.escrow.depositPayment(cheaper, signature, {"from": quote.buyer, "value": quote.amount - 1})
    assert market.escrow.balance() == 0
    assert chain.height > 0
