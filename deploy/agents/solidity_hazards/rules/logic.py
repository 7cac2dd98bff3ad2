"""Conditions and values that others can bend."""

import re
from collections.abc import Iterator

from ..finding import Finding, Hazard
from ..model import Scope, is_restricted, names
from ..syntax import Function, Statement
from ..tokens import Token, arguments, closing, contains, find, texts
from ..tokens import written as source_of

RANDOMNESS = Hazard(
    "weak-randomness",
    "high",
    "Randomness that can be foreseen",
    "Block values are known to whoever builds the block, and to every contract called in it: one can choose to win.",
    "Use a verifiable random function (such as Chainlink VRF), or commit and reveal.",
)
TIME_EQUALITY = Hazard(
    "timestamp-equality",
    "medium",
    "A block's time is compared for equality",
    "A block with exactly that time may never come, and who builds the block can shift it by seconds.",
    "Compare with >= or <=.",
)
TIME = Hazard(
    "timestamp",
    "info",
    "A decision depends on the block's time",
    "Who builds the block can shift its time by some seconds. That is fine for hours, not for ends to the second.",
    "Make sure that a shift of 15 seconds does no harm.",
)
BALANCE_EQUALITY = Hazard(
    "balance-equality",
    "medium",
    "A balance is compared for equality",
    "Anyone can send the contract ether or tokens, unasked, and make the condition false for ever.",
    "Compare with >= , or count deposits in a variable of your own.",
)
SPOT_PRICE = Hazard(
    "spot-price",
    "high",
    "A price is read from a pool's present state",
    "A flash loan can move a pool's reserves for one transaction, and with them this price.",
    "Use a time-weighted average or an oracle.",
)
STALE_PRICE = Hazard(
    "stale-price",
    "medium",
    "An oracle's answer is used without a look at its age",
    "A feed that has stopped goes on returning its last price.",
    "Check updatedAt against a limit, and that the answer is above 0.",
)
SLIPPAGE = Hazard(
    "no-slippage-limit",
    "medium",
    "A swap accepts any price",
    "With a minimum output of 0 a sandwich attack takes the difference.",
    "Let the caller give a minimum output and a deadline.",
)
UNBOUNDED = Hazard(
    "unbounded-loop",
    "medium",
    "A loop over an array that grows without limit",
    "When the array is long enough the loop needs more gas than a block has, and the function can never run again.",
    "Go through it in parts, or keep a sum instead of adding up.",
)
LOCKED = Hazard(
    "locked-ether",
    "medium",
    "Ether can come in and never leave",
    "The contract takes payments, and no function sends any.",
    "Add a way out, or do not take ether.",
)
SHADOWING = Hazard(
    "shadowing",
    "low",
    "A name hides another",
    "The inner name is read or written where the outer one was meant.",
    "Give it another name.",
)
SECRET = Hazard(
    "secret-on-chain",
    "medium",
    "A secret in storage",
    "`private` keeps other contracts out, not people: every storage slot can be read by anyone with a node.",
    "Store a salted hash, or keep the secret off the chain.",
)

_BLOCK_VALUES = ("timestamp", "number", "difficulty", "prevrandao", "coinbase", "blockhash", "gaslimit", "basefee")
_BUILTINS = frozenset(
    {"msg", "block", "tx", "now", "abi", "require", "assert", "revert", "keccak256", "ecrecover", "gasleft"}
)
_SECRET_NAME = re.compile(
    r"(?:password|passphrase|secret|privateKey|private_key|seed|pin|answer)(?!Hash)", re.IGNORECASE
)
_CHANCE = re.compile(r"rand|lucky|winner|lottery|dice|roll|seed|draw|shuffle|entropy", re.IGNORECASE)


def randomness(scope: Scope) -> Iterator[Finding]:
    """Block values that go into a hash, or into a remainder, or into something called random."""
    for function in scope.own():
        for statement in function.statements():
            tokens = statement.tokens
            place = _block_value(tokens)
            if place < 0:
                continue
            hashed = (
                contains(tokens, "keccak256", "(")
                or contains(tokens, "sha3", "(")
                or contains(tokens, "blockhash", "(")
            )
            divided = any(token.text == "%" for token in tokens)
            chance = any(_CHANCE.search(name) for name in [function.name, *names(tokens)])
            domain = any(word in names(tokens) for word in ("DOMAIN_SEPARATOR", "chainid", "nonce", "nonces", "salt"))
            if (
                (chance and (hashed or divided))
                or (hashed and divided)
                or (hashed and not domain and _is_number(tokens))
            ):
                value = "".join(texts(tokens[place : place + 3]))
                yield Finding(RANDOMNESS, tokens[place].line, function.name, f"drawn from `{value.split('(')[0]}`")


def _is_number(tokens: list[Token]) -> bool:
    return contains(tokens, "uint256", "(", "keccak256") or contains(tokens, "uint", "(", "keccak256")


def _block_value(tokens: list[Token]) -> int:
    for word in _BLOCK_VALUES:
        index = find(tokens, "block", ".", word)
        if index >= 0:
            return index
    return max(find(tokens, "blockhash", "("), find(tokens, "now"))


def equalities(scope: Scope) -> Iterator[Finding]:
    """Times and balances in conditions."""
    for function in scope.own():
        told = False
        for statement in function.statements():
            for left, mark, right in _comparisons(statement):
                both = [*left, *right]
                is_time = contains(both, "block", ".", "timestamp") or contains(both, "now")
                if mark in {"==", "!="} and is_time:
                    yield Finding(TIME_EQUALITY, statement.line, function.name, _shown(left, mark, right))
                elif is_time and not told:
                    told = True
                    yield Finding(TIME, statement.line, function.name, _shown(left, mark, right))
                own = contains(both, "address", "(", "this", ")", ".", "balance") or (
                    contains(both, "balanceOf", "(", "address", "(", "this", ")", ")")
                )
                other_is_zero = [token.text for token in left] == ["0"] or [token.text for token in right] == ["0"]
                if mark == "==" and own and not other_is_zero:
                    yield Finding(BALANCE_EQUALITY, statement.line, function.name, _shown(left, mark, right))


def _comparisons(statement: Statement) -> Iterator[tuple[list[Token], str, list[Token]]]:
    """The comparisons of a statement, with what stands left and right up to the next bracket or logical sign."""
    tokens = statement.tokens
    stops = {"&&", "||", ",", "?", ":", ";", "=", "return", "!"}
    for index, token in enumerate(tokens):
        if token.kind != "mark" or token.text not in {"==", "!=", "<", ">", "<=", ">="}:
            continue
        start = index
        depth = 0
        while start > 0:
            text = tokens[start - 1].text
            depth += text in {")", "]"}
            depth -= text in {"(", "["}
            if depth < 0 or (depth == 0 and text in stops):
                break
            start -= 1
        end, depth = index + 1, 0
        while end < len(tokens):
            text = tokens[end].text
            depth += text in {"(", "["}
            depth -= text in {")", "]"}
            if depth < 0 or (depth == 0 and text in stops):
                break
            end += 1
        yield tokens[start:index], token.text, tokens[index + 1 : end]


def _shown(left: list[Token], mark: str, right: list[Token]) -> str:
    return f"`{source_of(left)} {mark} {source_of(right)}`"


def prices(scope: Scope) -> Iterator[Finding]:
    """Spot prices, stale oracles, and swaps without a limit."""
    for function in scope.own():
        for statement in function.statements():
            tokens = statement.tokens
            for word in ("getReserves", "slot0"):
                index = find(tokens, ".", word, "(")
                if index >= 0 and "observe" not in names(function.tokens):
                    yield Finding(
                        SPOT_PRICE,
                        tokens[index].line,
                        function.name,
                        f"`{word}` says what the pool holds at this moment",
                    )
            yield from _oracle(tokens, function)
            for index, token in enumerate(tokens[:-1]):
                if re.match(r"(?:swapExact|exactInput)", token.text) and tokens[index + 1].text == "(":
                    parts = arguments(tokens, index + 1)
                    if any([one.text for one in part] == ["0"] for part in parts[:3]) or _zero_member(
                        tokens, index + 1
                    ):
                        yield Finding(SLIPPAGE, token.line, function.name, f"`{token.text}` with a minimum output of 0")
                    elif any(texts(part) == ["block", ".", "timestamp"] for part in parts):
                        yield Finding(
                            SLIPPAGE,
                            token.line,
                            function.name,
                            f"`{token.text}` with block.timestamp as its deadline, which never passes",
                            "low",
                        )


def _oracle(tokens: list[Token], function: Function) -> Iterator[Finding]:
    index = find(tokens, ".", "latestAnswer", "(")
    if index >= 0:
        yield Finding(STALE_PRICE, tokens[index].line, function.name, "`latestAnswer` is deprecated and has no time")
    index = find(tokens, ".", "latestRoundData", "(")
    if index < 0 or not tokens or tokens[0].text != "(":
        return
    parts = arguments(tokens, 0)
    updated = parts[3][-1].text if len(parts) == 5 and parts[3] else ""
    reads = sum(token.text == updated for token in function.tokens) if updated else 0
    if reads < 2:
        yield Finding(STALE_PRICE, tokens[index].line, function.name, "`updatedAt` of latestRoundData is not looked at")


def _zero_member(tokens: list[Token], opening: int) -> bool:
    """`amountOutMinimum: 0` in a struct of parameters."""
    inside = tokens[opening : closing(tokens, opening)]
    return contains(inside, "amountOutMinimum", ":", "0")


def unbounded_loops(scope: Scope) -> Iterator[Finding]:
    """Loops up to the length of an array in storage that grows."""
    growing = {name for name, variable in scope.state.items() if variable.type.endswith("[]") or "[]" in variable.type}
    if not growing:
        return
    pushed = {
        name
        for contract in scope.lineage
        for function in contract.functions
        for name in growing
        if contains(function.tokens, name, ".", "push") or contains(function.tokens, "]", ".", "push")
    }
    for function in scope.own():
        for statement in function.statements():
            if statement.kind not in {"for", "while", "do"}:
                continue
            for name in sorted(pushed):
                if contains(statement.tokens, name, ".", "length") or _length_copied(function, statement, name):
                    read_only = not function.changes_state
                    yield Finding(
                        UNBOUNDED,
                        statement.line,
                        function.name,
                        f"up to `{name}.length`, and `{name}` only grows",
                        "low" if read_only or is_restricted(function, scope) else "",
                    )
                    break


def _length_copied(function: Function, loop: Statement, array: str) -> bool:
    for statement in function.statements():
        index = find(statement.tokens, "=", array, ".", "length")
        if index > 0 and statement.tokens[index - 1].text in names(loop.tokens):
            return True
    return False


def locked_ether(scope: Scope) -> Iterator[Finding]:
    """Contracts that take ether and have no call that sends any."""
    if not scope.is_complete or scope.contract.kind != "contract":
        return
    functions = [function for contract in scope.lineage for function in contract.functions if function.has_body]
    entry = next((function for function in functions if function.is_payable and function.kind != "constructor"), None)
    if entry is None:
        return
    for function in functions:
        words = names(function.tokens)
        if {"selfdestruct", "suicide", "sendValue", "delegatecall", "callcode"} & words or (
            "value" in words - {"msg"}
            and (contains(function.tokens, "{", "value", ":") or contains(function.tokens, ".", "value", "("))
        ):
            return
        for method in ("transfer", "send"):
            index = find(function.tokens, ".", method, "(")
            while index >= 0:
                if len(arguments(function.tokens, index + 2)) == 1:
                    return
                index = find(function.tokens, ".", method, "(", start=index + 1)
        if any(
            statement.kind == "assembly" and contains(statement.tokens, "call", "(")
            for statement in function.statements()
        ):
            return
    yield Finding(LOCKED, entry.line, entry.name, f"`{entry.name}` takes ether")


def shadowing(scope: Scope) -> Iterator[Finding]:
    """Parameters and locals named like a state variable or a builtin."""
    inherited = {
        variable.name: one.name
        for one in scope.lineage[1:]
        for variable in one.variables
        if "private" not in variable.words
    }
    for variable in scope.contract.variables:
        if variable.name in inherited:
            yield Finding(
                SHADOWING,
                variable.line,
                scope.contract.name,
                f"`{variable.name}` hides the state variable of {inherited[variable.name]}",
                "medium",
            )
    for function in scope.own():
        for variable in [*function.parameters, *function.locals()]:
            if variable.name in scope.state and function.kind != "constructor":
                yield Finding(SHADOWING, variable.line, function.name, f"`{variable.name}` hides a state variable")
            elif variable.name in _BUILTINS:
                yield Finding(
                    SHADOWING, variable.line, function.name, f"`{variable.name}` hides a word of the language"
                )


def secrets(scope: Scope) -> Iterator[Finding]:
    """State variables that are called password, secret, key or seed and hold one."""
    for variable in scope.contract.variables:
        holds = variable.type in {"string", "bytes", "bytes32", "uint256", "uint"}
        if (
            holds
            and _SECRET_NAME.search(variable.name)
            and not re.search(r"hash|commit|root", variable.name, re.IGNORECASE)
        ):
            yield Finding(SECRET, variable.line, scope.contract.name, f"`{variable.name}`")
