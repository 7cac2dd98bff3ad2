"""The rules. Each is a function from a contract's scope, or from the file, to what it finds."""

from collections.abc import Callable, Iterator

from ..finding import Finding
from ..model import Scope
from . import access, calls, file, flows, logic, numbers, signatures

ContractRule = Callable[[Scope], Iterator[Finding]]
FileRule = Callable[[file.File], Iterator[Finding]]

CONTRACT_RULES: tuple[tuple[str, ContractRule], ...] = (
    ("reentrancy", flows.reentrancy),
    ("return values of calls", calls.unchecked_calls),
    ("return values of token transfers", calls.unchecked_transfers),
    ("delegatecall", calls.delegatecalls),
    ("calls and payments in loops", calls.loops),
    ("2300 gas of transfer and send", calls.stipends),
    ("transfers from others", calls.arbitrary_from),
    ("tx.origin", access.tx_origin),
    ("functions anyone may call", access.unprotected),
    ("initializers and upgrades", access.initializers),
    ("addresses that may be zero", access.zero_addresses),
    ("settings without an event", access.silent_settings),
    ("randomness", logic.randomness),
    ("time and balance as conditions", logic.equalities),
    ("prices and slippage", logic.prices),
    ("unbounded loops", logic.unbounded_loops),
    ("ether that cannot leave", logic.locked_ether),
    ("shadowed names", logic.shadowing),
    ("secrets in storage", logic.secrets),
    ("arithmetic", numbers.arithmetic),
    ("division before multiplication", numbers.precision),
    ("narrowing casts", numbers.casts),
    ("signatures", signatures.recovery),
    ("hashes of packed values", signatures.packed),
)
FILE_RULES: tuple[tuple[str, FileRule], ...] = (
    ("compiler version", file.pragmas),
    ("hidden characters", file.hidden_characters),
    ("deprecated words", file.deprecated),
)
