"""Calls to other contracts: their results, their gas, and who chooses their target."""

import re
from collections.abc import Iterator

from ..finding import Finding, Hazard
from ..model import ExternalCall, Scope, external_calls, is_restricted, names
from ..syntax import Function, Statement, declared
from ..tokens import Token, arguments, closing, contains, find

UNCHECKED_CALL = Hazard(
    "unchecked-call",
    "high",
    "The result of a low-level call is ignored",
    "call, delegatecall and send return false instead of reverting: the contract goes on as if nothing had failed.",
    'Check the result: `(bool ok, ) = target.call{value: amount}(""); require(ok);`',
)
UNCHECKED_TRANSFER = Hazard(
    "unchecked-transfer",
    "medium",
    "The result of a token transfer is ignored",
    "Some tokens return false when a transfer fails, and some return nothing at all; either is taken for success here.",
    "Use OpenZeppelin's SafeERC20: `token.safeTransfer(to, amount)`.",
)
DELEGATECALL = Hazard(
    "delegatecall",
    "high",
    "Code chosen from outside runs in this contract's storage",
    "delegatecall runs foreign code with this contract's storage and balance: who chooses it owns the contract.",
    "Delegate only to a fixed, audited address, and let nobody but governance change it.",
)
LOOP_CALL = Hazard(
    "call-in-loop",
    "medium",
    "An external call inside a loop",
    "One receiver that reverts, or runs out of gas, blocks the whole loop for everyone.",
    "Let each receiver withdraw for themselves (pull payments), or go on when one call fails.",
)
VALUE_LOOP = Hazard(
    "msg-value-in-loop",
    "high",
    "msg.value is used inside a loop",
    "msg.value does not shrink while the loop runs: one payment is counted once per turn.",
    "Add up what is spent and compare it with msg.value once, after the loop.",
)
STIPEND = Hazard(
    "transfer-gas",
    "low",
    "transfer or send forwards only 2300 gas",
    "Receivers that are contracts, smart-account wallets among them, often need more, and gas prices change.",
    "Use call with a checked result, after the state is updated.",
)
ARBITRARY_FROM = Hazard(
    "arbitrary-from",
    "high",
    "Anyone may move tokens of others",
    "transferFrom takes its `from` from the caller: whoever has approved this contract can be emptied by anybody.",
    "Use msg.sender as `from`, or check that the owner agreed to this very transfer.",
)


def unchecked_calls(scope: Scope) -> Iterator[Finding]:
    """Low-level calls and sends whose result is dropped, or kept in a variable that nobody reads."""
    for function in scope.own():
        for statement in function.statements():
            for call in external_calls(statement.tokens, scope, function):
                if call.kind == "low-level" or call.method == "send":
                    problem = _ignored(statement, function)
                    if problem:
                        severity = "medium" if call.method == "send" else ""
                        yield Finding(
                            UNCHECKED_CALL,
                            call.line,
                            function.name,
                            f"`{call.target}.{call.method}`: {problem}",
                            severity,
                        )


def _ignored(statement: Statement, function: Function) -> str:
    tokens = statement.tokens
    if statement.kind != "expression" or (tokens and tokens[0].text in {"require", "assert"}):
        return ""
    result = next((one for one in declared(tokens) if one.type == "bool"), None)
    if result is not None:
        read = sum(token.text == result.name and token.kind == "name" for token in function.tokens)
        return "" if read > 1 else f"`{result.name}` is never read"
    if find(tokens, "=") >= 0:
        # `(, bytes memory data) = …` leaves the first result out.
        return (
            "the first result is left out"
            if len(tokens) > 1 and tokens[0].text == "(" and tokens[1].text == ","
            else ""
        )
    starts_with_call = bool(tokens) and not contains(tokens[:1], "require")
    return "nothing is done with the result" if starts_with_call and not _is_argument(tokens) else ""


def _is_argument(tokens: list[Token]) -> bool:
    """Whether the call stands inside another call's brackets, which then gets the result."""
    if len(tokens) > 1 and tokens[0].kind == "name" and tokens[1].text == "(":
        return closing(tokens, 1) == len(tokens) - 1 and tokens[0].text not in {"payable", "address"}
    return False


def unchecked_transfers(scope: Scope) -> Iterator[Finding]:
    """Bare `token.transfer(to, amount)`, `transferFrom` and `approve`."""
    for function in scope.own():
        for statement in function.statements():
            tokens = statement.tokens
            if statement.kind != "expression" or not tokens or tokens[0].text in {"require", "assert", "bool", "("}:
                continue
            for method, count in (("transfer", 2), ("transferFrom", 3)):
                index = find(tokens, ".", method, "(")
                bare = index > 0 and closing(tokens, index + 2) == len(tokens) - 1
                if bare and len(arguments(tokens, index + 2)) == count and find(tokens, "=") < 0:
                    target = "".join(token.text for token in tokens[:index])
                    if target != "super" and not _is_collection(target, scope, function):
                        yield Finding(
                            UNCHECKED_TRANSFER,
                            tokens[index].line,
                            function.name,
                            f"`{target}.{method}`: nothing is done with the result",
                        )


def _is_collection(target: str, scope: Scope, function: Function) -> bool:
    """Whether the receiver is an ERC-721 or ERC-1155, whose transfers revert and return nothing."""
    kinds = [*function.parameters, *function.locals(), *scope.state.values()]
    root = re.split(r"[.(\[]", target)[0]
    about = " ".join(
        [target, *(one.type for one in kinds if one.name == root), *scope.contract.bases, scope.contract.name]
    )
    return bool(re.search(r"721|1155|nft|collectible", about, re.IGNORECASE))


def delegatecalls(scope: Scope) -> Iterator[Finding]:
    """delegatecall to a target that the caller gives, or that the contract can change."""
    for function in scope.own():
        given = {parameter.name for parameter in function.parameters}
        for statement in function.statements():
            for call in external_calls(statement.tokens, scope, function):
                if call.method not in {"delegatecall", "callcode", "functionDelegateCall"}:
                    continue
                root = call.target.split(".")[0].split("[")[0].split("(")[0]
                if call.method == "functionDelegateCall":
                    root = _first_argument(statement.tokens, call.method)
                restricted = is_restricted(function, scope) or not function.is_open
                if root in given:
                    severity = "medium" if restricted else "high"
                    yield Finding(
                        DELEGATECALL, call.line, function.name, f"the target `{root}` is given by the caller", severity
                    )
                elif root in scope.state and not scope.state[root].is_constant:
                    yield Finding(
                        DELEGATECALL,
                        call.line,
                        function.name,
                        f"the target `{call.target}` is kept in storage and can change",
                        "medium",
                    )
        for statement in function.statements():
            if statement.kind != "assembly" or _is_proxy(function):
                continue
            for token in statement.tokens:
                if token.text in {"delegatecall", "callcode"}:
                    yield Finding(DELEGATECALL, token.line, function.name, f"`{token.text}` in assembly", "medium")


def _first_argument(tokens: list[Token], method: str) -> str:
    index = find(tokens, method, "(")
    parts = arguments(tokens, index + 1) if index >= 0 else []
    return parts[0][0].text if parts and parts[0] else ""


def _is_proxy(function: Function) -> bool:
    return function.kind == "fallback" or function.name in {"_delegate", "_fallback"}


def loops(scope: Scope) -> Iterator[Finding]:
    """Calls, payments and msg.value inside for, while and do."""
    for function in scope.own():
        seen: set[int] = set()
        for loop in function.statements():
            if loop.kind not in {"for", "while", "do"}:
                continue
            for statement in (inner for branch in loop.branches for outer in branch for inner in outer.walk()):
                for call in external_calls(statement.tokens, scope, function):
                    if call.line not in seen:
                        seen.add(call.line)
                        yield _loop_finding(call, function, scope)
                index = find(statement.tokens, "msg", ".", "value")
                if index >= 0 and -statement.tokens[index].line not in seen:
                    seen.add(-statement.tokens[index].line)
                    yield Finding(
                        VALUE_LOOP, statement.tokens[index].line, function.name, "one payment, counted in every turn"
                    )


def _loop_finding(call: ExternalCall, function: Function, scope: Scope) -> Finding:
    pays = call.kind == "ether" or call.sends_ether
    # A list kept in the contract holds anyone who ever joined, among them the one who wants to block it.
    listed = any(name in scope.state for name in re.findall(r"\w+", call.target))
    what = "pays ether to" if pays else "calls"
    return Finding(
        LOOP_CALL,
        call.line,
        function.name,
        f"the loop {what} `{call.target}` by `{call.method}`",
        "high" if pays and listed else "",
    )


def stipends(scope: Scope) -> Iterator[Finding]:
    """`payable(x).transfer(amount)` and `send`."""
    for function in scope.own():
        for statement in function.statements():
            for call in external_calls(statement.tokens, scope, function):
                if call.kind == "ether":
                    yield Finding(STIPEND, call.line, function.name, f"`{call.target}.{call.method}`")


def arbitrary_from(scope: Scope) -> Iterator[Finding]:
    """`token.transferFrom(from, …)` with a `from` that the caller of an open function gives."""
    for function in scope.own():
        if (
            not function.is_open
            or is_restricted(function, scope)
            or function.name in {"transferFrom", "safeTransferFrom"}
        ):
            continue
        given = {parameter.name for parameter in function.parameters if parameter.type in {"address", "addresspayable"}}
        for statement in function.statements():
            for method in ("transferFrom", "safeTransferFrom"):
                index = find(statement.tokens, ".", method, "(")
                if index < 0:
                    continue
                parts = arguments(statement.tokens, index + 2)
                # SafeERC20.safeTransferFrom(token, from, to, amount) has the token in front.
                first = (
                    parts[1] if method == "safeTransferFrom" and len(parts) == 4 and _is_token(parts[0]) else parts[0]
                )
                if len(first) == 1 and first[0].text in given and not _agreed(function, first[0].text):
                    yield Finding(
                        ARBITRARY_FROM,
                        first[0].line,
                        function.name,
                        f"`{first[0].text}` is given by the caller and never compared with msg.sender",
                    )


def _is_token(part: list[Token]) -> bool:
    return len(part) == 1 and "token" in part[0].text.lower()


def _agreed(function: Function, owner: str) -> bool:
    """Whether the function checks a signature or permission of the owner."""
    words = names(function.tokens)
    return any(
        word in words for word in ("ecrecover", "recover", "permit", "isValidSignatureNow", "isApprovedForAll")
    ) or any(
        owner in names(statement.tokens) and contains(statement.tokens, "msg", ".", "sender")
        for statement in function.statements()
        if statement.kind == "if" or (statement.tokens and statement.tokens[0].text == "require")
    )
