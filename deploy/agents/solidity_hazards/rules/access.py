"""Who may call what."""

import re
from collections.abc import Iterator

from ..finding import Finding, Hazard
from ..model import Scope, external_calls, internal_calls, is_restricted, names, summary, written
from ..syntax import Function
from ..tokens import Token, contains, find
from ..tokens import written as source_of

TX_ORIGIN = Hazard(
    "tx-origin",
    "high",
    "tx.origin decides who is allowed",
    "A contract that the owner is lured into calling can call on in the owner's name: tx.origin stays the owner.",
    "Compare msg.sender.",
)
SELFDESTRUCT = Hazard(
    "selfdestruct",
    "high",
    "Anyone can destroy the contract",
    "selfdestruct sends the whole balance away; without a check of the caller that is anybody's decision.",
    "Remove it; since the Cancun upgrade it no longer even removes the code.",
)
UNPROTECTED = Hazard(
    "unprotected-function",
    "high",
    "Anyone may call a function that should be restricted",
    "The function moves money or rights, and neither a modifier nor its body looks at who calls.",
    "Add onlyOwner, a role, or a check of msg.sender.",
)
INITIALIZER = Hazard(
    "unprotected-initializer",
    "high",
    "The initializer can be called again, or by anyone first",
    "Whoever calls it becomes the owner. The Parity multi-signature wallets were lost this way.",
    "Use OpenZeppelin's initializer modifier, and call _disableInitializers() in the implementation's constructor.",
)
ZERO_ADDRESS = Hazard(
    "zero-address",
    "low",
    "An address is stored without a look at whether it is zero",
    "A forgotten argument makes the zero address owner or receiver, and what is sent there is gone.",
    "require(account != address(0)).",
)
SILENT = Hazard(
    "missing-event",
    "info",
    "A setting changes without an event",
    "Users and monitoring cannot see that the rules have changed.",
    "Emit an event with the old and the new value.",
)
ONE_STEP = Hazard(
    "one-step-ownership",
    "info",
    "Ownership is handed over in one step",
    "A mistyped address takes the contract out of everyone's hands.",
    "Use Ownable2Step: the new owner has to accept.",
)

_POWER = re.compile(
    r"(?:owner|admin|governor|governance|minter|operator|controller|implementation|treasury|fee\w*|paused|oracle|signer|"
    r"authority|guardian|keeper|manager|role\w*|whitelist\w*|blacklist\w*|allowlist\w*|price|rate)s?$",
    re.IGNORECASE,
)
_SETTER = re.compile(
    r"(?:set|update|change|configure|add|remove|grant|revoke|enable|disable|toggle|upgrade|pause|unpause)(?:[A-Z]\w*)?$"
)
_TAKER = re.compile(r"(?:sweep|rescue|drain|withdrawAll|emergency|skim|recover|retrieve|collect)\w*$", re.IGNORECASE)


def tx_origin(scope: Scope) -> Iterator[Finding]:
    """tx.origin in a comparison; beside msg.sender it only keeps contracts out, which is less bad."""
    for function in scope.own():
        for statement in function.statements():
            index = find(statement.tokens, "tx", ".", "origin")
            if index < 0:
                continue
            line = statement.tokens[index].line
            compared = any(token.text in {"==", "!="} for token in statement.tokens) or contains(
                statement.tokens, "[", "tx"
            )
            if contains(statement.tokens, "msg", ".", "sender"):
                yield Finding(
                    TX_ORIGIN,
                    line,
                    function.name,
                    "compared with msg.sender: keeps contracts out, and with them smart-account wallets",
                    "low",
                )
            elif compared:
                yield Finding(TX_ORIGIN, line, function.name, f"`{source_of(statement.tokens)[:80]}`")
            else:
                yield Finding(TX_ORIGIN, line, function.name, "used, though not to allow anything", "low")


def unprotected(scope: Scope) -> Iterator[Finding]:
    """Open functions that destroy, pay out, mint or change who rules, without a look at the caller."""
    for function in scope.own():
        destroys = next(
            (token for token in function.tokens if token.text in {"selfdestruct", "suicide"} and token.kind == "name"),
            None,
        )
        if destroys is not None:
            open_to_all = function.is_open and not is_restricted(function, scope)
            yield Finding(
                SELFDESTRUCT,
                destroys.line,
                function.name,
                f"`{function.name}` is open to everyone" if open_to_all else "the caller is checked",
                "high" if open_to_all else "low",
            )
            if open_to_all:
                continue
        if (
            not function.is_open
            or not function.changes_state
            or is_restricted(function, scope)
            or function.kind != "function"
        ):
            continue
        if _is_initializer(function):
            continue
        reason = _power(function, scope)
        if reason:
            yield Finding(UNPROTECTED, function.line, function.name, *reason)


def _power(function: Function, scope: Scope) -> tuple[str, str] | None:
    """What makes the function powerful, and how bad that is."""
    given = {parameter.name for parameter in function.parameters}
    for statement in function.statements():
        for call in external_calls(statement.tokens, scope, function):
            root = re.split(r"[.\[(]", call.target.removeprefix("payable(").removeprefix("address("))[0].rstrip(")")
            if (call.kind == "ether" or call.sends_ether) and root in given and not _is_own_money(function):
                return f"sends ether to `{root}`, which the caller gives", "high"
            if call.kind == "low-level" and not call.sends_ether and root in given:
                return f"calls `{root}`, which the caller gives, with data of the caller's choice", "high"
        changed = {name for name in written(statement, scope, function) if _POWER.fullmatch(name.lstrip("_"))}
        if changed and not _is_keyed_by_caller(statement.tokens):
            return f"writes `{sorted(changed)[0]}`", "high"
    if _mints_for_nothing(function, scope):
        return "mints tokens", "high"
    writes = {name for name in summary(function, scope).writes if name in scope.state}
    if _SETTER.match(function.name) and writes and not _is_keyed_by_caller(function.tokens):
        return f"changes `{sorted(writes)[0]}`", "medium"
    if _TAKER.match(function.name) and summary(function, scope).calls and "msg" not in names(function.tokens):
        return "takes money out", "high"
    return None


def _mints_for_nothing(function: Function, scope: Scope) -> bool:
    mints = contains(function.tokens, "_mint", "(") or any(
        inner.name == "_mint" for inner in internal_calls(function.tokens, scope)
    )
    takes = function.is_payable or any(
        "transferFrom" in name or "TransferFrom" in name for name in names(function.tokens)
    )
    return mints and not takes and "mint" in function.name.lower()


def _is_own_money(function: Function) -> bool:
    """Whether what is sent is taken from what the caller has here."""
    return (
        contains(function.tokens, "[", "msg", ".", "sender", "]")
        or contains(function.tokens, "msg", ".", "value")
        or (contains(function.tokens, "[", "_msgSender", "("))
    )


def _is_keyed_by_caller(tokens: list[Token]) -> bool:
    """Whether what is written belongs to the caller: an entry of a mapping, or a function given the caller."""
    return any(
        contains(tokens, opening, *caller)
        for opening in ("[", "(")
        for caller in (("msg", ".", "sender"), ("_msgSender", "(", ")"))
    )


def _is_initializer(function: Function) -> bool:
    return bool(re.fullmatch(r"_?init(?:ialize\w*)?", function.name))


def initializers(scope: Scope) -> Iterator[Finding]:
    """initialize without its modifier, an implementation that stays open, and upgrades that nobody guards."""
    for function in scope.own():
        if _is_initializer(function) and function.is_open and function.changes_state:
            once = {"initializer", "reinitializer", "onlyInitializing"} & set(function.modifiers)
            checked = any(re.search(r"init", word, re.IGNORECASE) for word in names(function.tokens))
            if not once and not checked and not is_restricted(function, scope):
                yield Finding(
                    INITIALIZER, function.line, function.name, "no initializer modifier, and no check of a flag"
                )
        if function.name == "_authorizeUpgrade" and not is_restricted(function, scope):
            yield Finding(UNPROTECTED, function.line, function.name, "anyone may upgrade the contract", "high")
        if function.name == "transferOwnership" and "pending" not in " ".join(names(function.tokens)).lower():
            yield Finding(ONE_STEP, function.line, function.name, "the new owner need not accept")
    upgradeable = any(re.search(r"Initializable|Upgradeable", base) for base in scope.contract.bases)
    has_initializer = any("initializer" in function.modifiers for function in scope.contract.functions)
    disabled = any(
        "_disableInitializers" in names(function.tokens) or "initializer" in function.modifiers
        for function in scope.contract.functions
        if function.kind == "constructor"
    )
    if upgradeable and has_initializer and not disabled:
        yield Finding(
            INITIALIZER,
            scope.contract.line,
            scope.contract.name,
            "the constructor does not call _disableInitializers(), so the implementation itself can be taken",
            "medium",
        )


def zero_addresses(scope: Scope) -> Iterator[Finding]:
    """Address parameters that are stored as they are."""
    for function in scope.own():
        if function.kind == "modifier" or (
            function.visibility not in {"public", "external"} and function.kind != "constructor"
        ):
            continue
        for parameter in function.parameters:
            if parameter.type not in {"address", "addresspayable"} or not parameter.name:
                continue
            for statement in function.statements():
                tokens = statement.tokens
                stored = len(tokens) >= 3 and tokens[1].text == "=" and tokens[0].text in scope.state
                value = [token.text for token in tokens[2:] if token.text not in {"payable", "(", ")"}]
                if stored and value == [parameter.name] and not _is_checked(function, parameter.name):
                    yield Finding(ZERO_ADDRESS, statement.line, function.name, f"`{tokens[0].text} = {parameter.name}`")


def _is_checked(function: Function, name: str) -> bool:
    for statement in function.statements():
        if name in names(statement.tokens) and (
            contains(statement.tokens, "address", "(", "0", ")")
            or contains(statement.tokens, "code", ".", "length")
            or contains(statement.tokens, "isContract")
            or contains(statement.tokens, "supportsInterface")
        ):
            return True
    return any(re.search(r"zero|valid", modifier, re.IGNORECASE) for modifier in function.modifiers) or any(
        re.search(r"zero|valid", word, re.IGNORECASE) for word in names(function.tokens)
    )


def silent_settings(scope: Scope) -> Iterator[Finding]:
    """Restricted setters without emit."""
    for function in scope.own():
        if not (
            function.is_open
            and function.changes_state
            and _SETTER.match(function.name)
            and is_restricted(function, scope)
        ):
            continue
        writes = sorted(name for name in summary(function, scope).writes if name in scope.state)
        emits = "emit" in names(function.tokens) or any(
            "emit" in names(inner.tokens) for inner in internal_calls(function.tokens, scope)
        )
        if writes and not emits:
            yield Finding(SILENT, function.line, function.name, f"changes `{writes[0]}`")
