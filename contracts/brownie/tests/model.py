"""What the escrow and the entitlements should do, in plain Python, with nothing of how the contracts do it."""

from dataclasses import dataclass, field

LIFETIME = 2**64 - 1
OPEN = ("held", "disputed")


@dataclass
class Payment:
    id: str
    payer: str
    creator: str
    recipient: str
    token: str
    amount: int
    fee_bps: int
    agent_id: int
    duration: int
    release_after: int
    expires_at: int
    status: str = "held"


@dataclass
class Access:
    """Grants in line: the first uses up its time, then the next. Beside them, grants for life."""

    clock: int = 0
    line: list = field(default_factory=list)  # [payment id, seconds left]
    for_life: set = field(default_factory=set)

    def advance(self, now: int) -> None:
        passed = now - self.clock
        for grant in self.line:
            used = min(grant[1], passed)
            grant[1] -= used
            passed -= used
        self.clock = now

    def give(self, now: int, payment: Payment) -> None:
        self.advance(now)
        if payment.duration == 0:
            self.for_life.add(payment.id)
        else:
            self.line.append([payment.id, payment.duration])

    def take_back(self, now: int, payment: Payment) -> None:
        self.advance(now)
        self.for_life.discard(payment.id)
        for grant in self.line:
            if grant[0] == payment.id:
                grant[1] = 0

    def expires_at(self, now: int) -> int:
        """When access ends; 0 when there is none at `now`."""
        if self.for_life:
            return LIFETIME
        end = self.clock + sum(left for _, left in self.line)
        return end if end > now else 0


class Market:
    """Everybody's money and access. Each operation returns whether it is allowed, and does it if so."""

    def __init__(self, window: int, hold: int, fee_bps: int, fee_recipient: str, arbiter: str) -> None:
        self.window, self.hold, self.fee_bps = window, hold, fee_bps
        self.fee_recipient, self.arbiter = fee_recipient, arbiter
        self.paused = False
        self.payments: list[Payment] = []
        self.credits: dict[tuple[str, str], int] = {}
        self.access: dict[tuple[str, int], Access] = {}

    def deposit(self, now: int, payment: Payment) -> bool:
        if self.paused:
            return False
        payment.fee_bps = self.fee_bps
        payment.release_after = now + self.window
        payment.expires_at = now + self.window + self.hold
        self.payments.append(payment)
        self._access_of(payment).give(now, payment)
        return True

    def release(self, now: int, payment: Payment, sender: str) -> bool:
        in_time = payment.status == "held" and payment.release_after <= now < payment.expires_at
        if payment.status not in OPEN or not (sender == payment.payer or in_time):
            return False
        payment.status = "released"
        self._pay_creator(payment, payment.amount)
        return True

    def refund(self, now: int, payment: Payment, sender: str) -> bool:
        if payment.status not in OPEN or not (sender == payment.creator or now >= payment.expires_at):
            return False
        payment.status = "refunded"
        self._credit(payment.token, payment.payer, payment.amount)
        self._access_of(payment).take_back(now, payment)
        return True

    def dispute(self, now: int, payment: Payment, sender: str) -> bool:
        if payment.status != "held" or sender != payment.payer or now >= payment.release_after:
            return False
        payment.status = "disputed"
        return True

    def resolve(self, now: int, payment: Payment, sender: str, refund_bps: int) -> bool:
        allowed = payment.status == "disputed" and sender == self.arbiter and now < payment.expires_at
        if not allowed or refund_bps > 10_000:
            return False
        payment.status = "resolved"
        share = payment.amount * refund_bps // 10_000
        self._credit(payment.token, payment.payer, share)
        self._pay_creator(payment, payment.amount - share)
        if refund_bps == 10_000:
            self._access_of(payment).take_back(now, payment)
        return True

    def withdraw(self, token: str, account: str) -> int:
        """Returns what is paid out; 0 is a refusal."""
        return self.credits.pop((token, account), 0)

    def held(self, token: str) -> int:
        return sum(payment.amount for payment in self.payments if payment.token == token and payment.status in OPEN)

    def credited(self, token: str) -> int:
        return sum(amount for (of, _), amount in self.credits.items() if of == token)

    def _pay_creator(self, payment: Payment, amount: int) -> None:
        fee = amount * payment.fee_bps // 10_000
        self._credit(payment.token, payment.creator, amount - fee)
        self._credit(payment.token, self.fee_recipient, fee)

    def _credit(self, token: str, account: str, amount: int) -> None:
        self.credits[token, account] = self.credits.get((token, account), 0) + amount

    def _access_of(self, payment: Payment) -> Access:
        return self.access.setdefault((payment.recipient, payment.agent_id), Access())
