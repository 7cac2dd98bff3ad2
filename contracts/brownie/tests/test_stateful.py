"""Drives both contracts and a plain Python model with the same random steps; they must agree after each."""

import brownie
import hypothesis.strategies as st
from brownie import chain
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from model import Market as Model
from model import Payment
from quotes import DISPUTE_WINDOW, ETHER, FEE_BPS, HOLD_PERIOD, set_time

STATUSES = ("none", "held", "disputed", "released", "refunded", "resolved")
DAY = 86400

person = st.integers(0, 3)
pick = st.integers(0, 2**32)


class Journey(RuleBasedStateMachine):
    market = None

    def __init__(self):
        super().__init__()
        self.now = chain[-1].timestamp + 1000
        self.count = 0
        self.model = Model(
            DISPUTE_WINDOW, HOLD_PERIOD, FEE_BPS, str(self.market.fee_recipient), str(self.market.arbiter)
        )

    def teardown(self):
        chain.revert()

    # ---------------------------------------------------------------- steps

    @rule(
        who=person,
        other=person,
        gift=person,
        ether=st.booleans(),
        agent=st.integers(0, 1),
        amount=st.integers(1, 10**18),
        days=st.integers(0, 40),
    )
    def deposit(self, who, other, gift, ether, agent, amount, days):
        people = self.market.people
        quote = self.market.quote(
            people[who],
            people[other],
            recipient=people[who] if gift % 2 else people[gift],
            token=self._token(ether),
            amount=amount,
            agent_id=agent,
            access_duration=0 if days % 8 == 0 else days * DAY,
            salt=self.count.to_bytes(32, "big"),
        )
        self.count += 1
        payment = Payment(
            id=str(self.market.escrow.hashQuote(quote.as_tuple())),
            payer=str(quote.buyer),
            creator=str(quote.creator),
            recipient=str(quote.recipient),
            token=quote.token,
            amount=quote.amount,
            fee_bps=0,
            agent_id=quote.agent_id,
            duration=quote.access_duration,
            release_after=0,
            expires_at=0,
        )
        signature = self.market.sign(quote)
        options = {"from": quote.buyer, "value": quote.amount if ether else 0}
        self._step(
            lambda: self.market.escrow.depositPayment(quote.as_tuple(), signature, options),
            lambda: self.model.deposit(self.now, payment),
        )

    @rule(pick=pick, who=person)
    def release(self, pick, who):
        self._on_payment(
            pick,
            self.market.people[who],
            lambda payment, options: self.market.escrow.releasePayment(payment.id, options),
            self.model.release,
        )

    @rule(pick=pick, who=person)
    def refund(self, pick, who):
        self._on_payment(
            pick,
            self.market.people[who],
            lambda payment, options: self.market.escrow.refundPayment(payment.id, options),
            self.model.refund,
        )

    @rule(pick=pick, who=person)
    def dispute(self, pick, who):
        self._on_payment(
            pick,
            self.market.people[who],
            lambda payment, options: self.market.escrow.openDispute(payment.id, b"reason", options),
            self.model.dispute,
        )

    @rule(pick=pick, who=person, bps=st.integers(0, 10_001))
    def resolve(self, pick, who, bps):
        sender = self.market.people[0] if who == 0 else self.market.arbiter
        refund_bps = 10_000 if bps % 3 == 0 else bps
        self._on_payment(
            pick,
            sender,
            lambda payment, options: self.market.escrow.resolveDispute(payment.id, refund_bps, b"decision", options),
            lambda now, payment, sender: self.model.resolve(now, payment, sender, refund_bps),
        )

    @rule(who=person, fees=st.booleans(), ether=st.booleans())
    def withdraw(self, who, fees, ether):
        token = self._token(ether)
        account = self.market.fee_recipient if fees else self.market.people[who]
        before = self._balance(token, account)
        due = self.model.withdraw(token, str(account))
        # Sent by the owner, whose balance nobody looks at.
        self._step(
            lambda: self.market.escrow.withdraw(token, account, {"from": self.market.owner}),
            lambda: due > 0,
        )
        assert self._balance(token, account) == before + due

    @rule(time=st.integers(1, 6 * DAY))
    def pass_time(self, time):
        self.now += time

    @rule(fee=st.integers(0, 1000))
    def change_fee_and_pause(self, fee):
        self._step(lambda: self.market.escrow.setPlatformFee(fee, {"from": self.market.owner}), lambda: True)
        self.model.fee_bps = fee
        if self.model.paused:
            self._step(lambda: self.market.escrow.unpause({"from": self.market.owner}), lambda: True)
            self.model.paused = False
        elif fee % 5 == 0:
            self._step(lambda: self.market.escrow.pause({"from": self.market.owner}), lambda: True)
            self.model.paused = True

    # ---------------------------------------------------------------- what must agree

    @invariant()
    def money_agree(self):
        for token in (ETHER, self.market.usdc.address):
            owed = self.model.held(token) + self.model.credited(token)
            assert self._balance(token, self.market.escrow) == owed
            for account in (*self.market.people, self.market.fee_recipient):
                expected = self.model.credits.get((token, str(account)), 0)
                assert self.market.escrow.withdrawable(token, account) == expected

    @invariant()
    def statuses_agree(self):
        for expected in self.model.payments:
            payment = self.market.escrow.payments(expected.id).dict()
            assert STATUSES[payment["status"]] == expected.status
            assert payment["feeBps"] == expected.fee_bps <= 1000
            assert payment["depositedAt"] < payment["releaseAfter"] == expected.release_after < payment["expiresAt"]
            assert payment["expiresAt"] == expected.expires_at

    @invariant()
    def access_agree(self):
        now = chain[-1].timestamp
        for (holder, agent_id), access in self.model.access.items():
            expected = access.expires_at(now)
            assert self.market.entitlements.hasValidToken(holder, agent_id) == (expected != 0)
            if expected:
                assert self.market.entitlements.expiresAt(holder, agent_id) == expected

    # ---------------------------------------------------------------- inside

    def _step(self, transact, allowed):
        """Sends one transaction in a block of a known time, and asks the model, at that time, whether it may succeed."""
        self.now += 1
        set_time(self.now)
        if allowed():
            transact()
        else:
            with brownie.reverts():
                transact()
        assert chain[-1].timestamp == self.now

    def _on_payment(self, pick, sender, transact, allowed):
        if not self.model.payments:
            return
        payment = self.model.payments[pick % len(self.model.payments)]
        self._step(
            lambda: transact(payment, {"from": sender}),
            lambda: allowed(self.now, payment, str(sender)),
        )

    def _token(self, ether):
        return ETHER if ether else self.market.usdc.address

    def _balance(self, token, account):
        return account.balance() if token == ETHER else self.market.usdc.balanceOf(account)


def test_contracts_do_what_the_model_says(market):
    # Not Brownie's own `state_machine`: as compiled in 1.22 it refuses every class it is given.
    Journey.market = market
    run_state_machine_as_test(
        Journey,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=HealthCheck.all(),
        ),
    )
