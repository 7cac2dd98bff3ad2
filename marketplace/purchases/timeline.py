"""The story of a payment, as its parties and staff read it: what the chain said, who said what, and what comes next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from chain.errors import ChainError
from chain.models import Event, OutboxTransaction
from chain.networks import get_network
from chain.tokens import format_amount
from marketplace.api.tokens import TokenBook
from marketplace.disputes.models import Decision, Statement
from marketplace.disputes.resolving import FAILED
from marketplace.payouts.models import Exit, Withdrawal
from marketplace.payouts.reasons import sentence
from marketplace.purchases.models import EscrowFact, Purchase
from marketplace.purchases.states import Status


class State(StrEnum):
    """How far an entry is: it happened, is happening, will happen, or waits for a person."""

    DONE = "done"
    CURRENT = "current"
    COMING = "coming"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened or will. `text` is a sentence, `quote` what somebody wrote."""

    kind: str
    title: str
    state: State
    at: datetime | None = None
    text: str = ""
    quote: str = ""
    transaction_hash: str = ""
    transaction_url: str = ""


def timeline(purchase: Purchase) -> list[Entry]:
    """Everything about the money of `purchase`, in order. Nothing when it was never paid."""
    return list(_Story(purchase).entries())


class _Story:
    def __init__(self, purchase: Purchase) -> None:
        self.purchase = purchase
        self.token = TokenBook().find(purchase.network, purchase.token)
        facts = purchase.facts.filter(problem="").exclude(status=Event.Status.REVERTED).select_related("event")
        self.facts = {fact.name: fact for fact in facts}
        self.statements = list(purchase.statements.all()) if self._was_disputed() else []
        self.decisions = list(purchase.decisions.select_related("transaction")) if self._was_disputed() else []
        self.exits = {exit_.kind: exit_ for exit_ in purchase.exits.select_related("transaction")}

    def _was_disputed(self) -> bool:
        return "DisputeOpened" in self.facts

    def entries(self) -> Iterator[Entry]:
        deposit = self.facts.get("PaymentDeposited")
        if deposit is None:
            return
        yield self._fact("paid", "Paid into escrow", deposit, f"{self._amount(self.purchase.amount)}.")
        yield from self._access()
        yield from self._dispute()
        yield from self._close()

    def _access(self) -> Iterator[Entry]:
        purchase = self.purchase
        if purchase.activated_at:
            yield Entry("active", "Access active", State.DONE, purchase.activated_at)
        elif purchase.status == Status.DEPOSITED:
            yield Entry("active", "Access opens when the payment is confirmed", State.CURRENT)
        if self._was_disputed() or purchase.release_after is None:
            return
        if purchase.status in (Status.DEPOSITED, Status.ACTIVE) and timezone.now() < purchase.release_after:
            text = "Until then the buyer can open a dispute, and nobody but the buyer can release the money."
            yield Entry("window", "Time to object ends", State.CURRENT, purchase.release_after, text)
        elif purchase.closed_at is None or purchase.closed_at >= purchase.release_after:
            yield Entry("window", "Time to object ended", State.DONE, purchase.release_after)

    def _dispute(self) -> Iterator[Entry]:
        opened = self.facts.get("DisputeOpened")
        if opened is None:
            return
        reason = next((each for each in self.statements if each.hash == opened.event.args["reasonHash"]), None)
        text = "" if reason else "The reason was not given on this site; the chain has only its hash."
        yield self._fact("disputed", "Dispute opened by the buyer", opened, text, reason.text if reason else "")
        # Reasons that were not signed in the end are nobody's business.
        said: list[Statement | Decision] = [each for each in self.statements if not each.is_reason]
        for item in sorted([*said, *self.decisions], key=lambda each: each.created_at):
            yield self._statement(item) if isinstance(item, Statement) else self._decision(item)
        if self.purchase.status == Status.DISPUTED and not self._is_decided():
            yield Entry(
                "deciding",
                "Staff decide, at the latest by",
                State.CURRENT,
                self.purchase.expires_at,
                "If nobody has decided by then, the whole amount goes back to the buyer by itself.",
            )

    def _is_decided(self) -> bool:
        return any(decision.transaction.status not in FAILED for decision in self.decisions)

    @staticmethod
    def _statement(statement: Statement) -> Entry:
        title = "The creator's answer" if statement.side == Statement.Side.CREATOR else "The buyer adds"
        return Entry("statement", title, State.DONE, statement.created_at, quote=statement.text)

    def _decision(self, decision: Decision) -> Entry:
        sent = decision.transaction
        share = f"{decision.refund_bps / 100:g} % back to the buyer."
        if sent.status in FAILED:
            text = f"{share} It could not be carried out. {sentence(sent)}"
            return Entry("decided", "Decision", State.FAILED, decision.created_at, text, decision.text)
        settled = "DisputeResolved" in self.facts
        text = share if settled else f"{share} {OUTBOX_SENTENCES[OutboxTransaction.Status(sent.status)]}"
        state = State.DONE if settled else State.CURRENT
        return Entry("decided", "Decision", state, decision.created_at, text, decision.text)

    def _close(self) -> Iterator[Entry]:
        if released := self.facts.get("PaymentReleased"):
            args = released.event.args
            text = f"{self._amount(args['creatorAmount'])} to the creator, {self._amount(args['feeAmount'])} fee."
            yield self._fact("released", "Released to the creator", released, text)
        elif refunded := self.facts.get("PaymentRefunded"):
            text = f"{self._amount(refunded.event.args['amount'])} to the buyer. The access it paid for has ended."
            yield self._fact("refunded", "Refunded", refunded, text)
        elif resolved := self.facts.get("DisputeResolved"):
            args = resolved.event.args
            text = (
                f"{self._amount(args['refundAmount'])} to the buyer, {self._amount(args['creatorAmount'])} to the "
                f"creator, {self._amount(args['feeAmount'])} fee."
            )
            yield self._fact("resolved", "Dispute resolved", resolved, text)
        else:
            yield from self._coming()
        yield from self._payout()

    def _coming(self) -> Iterator[Entry]:
        purchase = self.purchase
        for kind, title in ((Exit.Kind.RELEASE, "Release to the creator"), (Exit.Kind.REFUND, "Refund to the buyer")):
            step = self.exits.get(kind)
            if step is not None and step.status in (Exit.Status.WAITING, Exit.Status.SENT, Exit.Status.STOPPED):
                yield _step(kind.value, title, step, "The platform sends it; nobody has to do anything.")
                return
        if purchase.status in (Status.DEPOSITED, Status.ACTIVE):
            text = "Without a dispute the platform then releases the money to the creator."
            yield Entry("release", "Release to the creator", State.COMING, purchase.release_after, text)

    def _payout(self) -> Iterator[Entry]:
        refund = self.purchase.credits.filter(kind="refund").first()
        if refund is None:
            return
        later = Withdrawal.objects.filter(network=refund.network, token=refund.token, account=refund.account)
        place = (refund.block_number, refund.log_index)
        payout = next(
            (
                each
                for each in later.exclude(status=Event.Status.REVERTED).select_related("event")
                if (each.block_number, each.log_index) > place
            ),
            None,
        )
        amount = self._amount(refund.amount)
        if payout is not None:
            yield self._fact(
                "withdrawn", "Refund paid out", payout, f"{amount} reached {refund.account[:6]}…{refund.account[-4:]}."
            )
            return
        step = self.exits.get(Exit.Kind.WITHDRAWAL)
        title = f"Payout of {amount} to the buyer"
        if step is None:
            yield Entry("withdrawal", title, State.CURRENT, text="It follows once the refund is confirmed.")
        else:
            yield _step("withdrawal", title, step, "The platform sends it; nobody has to do anything.")

    def _amount(self, amount: int | str) -> str:
        return format_amount(int(amount), self.token)

    def _fact(self, kind: str, title: str, fact: EscrowFact | Withdrawal, text: str = "", quote: str = "") -> Entry:
        hash_ = fact.event.transaction_hash
        try:
            url = get_network(fact.network).transaction_url(hash_)
        except ChainError:
            url = ""
        return Entry(kind, title, State.DONE, fact.block_time, text, quote, hash_, url)


# How far a transaction of the platform is, for people who wait for it.
OUTBOX_SENTENCES = {
    OutboxTransaction.Status.QUEUED: "Its transaction is about to be sent.",
    OutboxTransaction.Status.SENT: "Its transaction is sent and waits for a block.",
    OutboxTransaction.Status.UNKNOWN: "Its transaction is being looked for.",
    OutboxTransaction.Status.MINED: "Its transaction is in a block.",
    OutboxTransaction.Status.CONFIRMED: "Its transaction is confirmed.",
}


def _step(kind: str, title: str, step: Exit, usual: str) -> Entry:
    """An automatic step that has not happened yet."""
    if step.status == Exit.Status.STOPPED:
        return Entry(kind, title, State.FAILED, text=step.detail)
    text = step.detail
    if not text and step.transaction is not None and step.status == Exit.Status.SENT:
        text = OUTBOX_SENTENCES.get(OutboxTransaction.Status(step.transaction.status), "")
    return Entry(kind, title, State.CURRENT, text=text or usual)
