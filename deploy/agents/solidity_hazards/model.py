"""What the functions of a contract do: whom they call, what they write, who may call them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .syntax import Contract, Function, Source, Statement, Variable, is_type_word
from .tokens import Token, arguments, closing, contains, find, split, texts

ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>="})
LOW_LEVEL = frozenset({"call", "delegatecall", "callcode"})
_HANDING_OVER = frozenset(
    {"safeTransfer", "safeTransferFrom", "transferFrom", "safeMint", "mint", "burn", "send", "swap", "flashLoan"}
)
_READING = re.compile(
    r"(?:balanceOf|allowance|totalSupply|decimals|symbol|name|ownerOf|owner|get[A-Z]\w*|is[A-Z]\w*|has[A-Z]\w*|preview\w+|"
    r"convertTo\w+|max[A-Z]\w*|latest\w+|supportsInterface|hasRole|nonces|DOMAIN_SEPARATOR|quote\w*|view\w*|recover|"
    r"tryRecover|verify\w*|toString|encode\w*|decode\w*|min|max|sqrt|mulDiv|average|add|sub|mul|div|mod|push|pop|"
    r"length|concat|selector|slot\d?|observe|contains|at|values|current|isContract|toEthSignedMessageHash|"
    r"toTypedDataHash|safeApprove|forceApprove|approve|safeIncreaseAllowance|safeDecreaseAllowance|permit)$"
)
_HARMLESS_MODIFIERS = re.compile(
    r"(?:nonReentrant\w*|lock|noReentrancy|whenNotPaused|whenPaused|initializer|reinitializer|onlyInitializing|payable|"
    r"override|virtual|notPaused|ensure|checkDeadline|validAddress|nonZero\w*|notZero\w*|updateReward|logs|not(?:Self|This)\w*)$",
    re.IGNORECASE,
)
_RESTRICTION = re.compile(r"only|auth|restricted|requires", re.IGNORECASE)
_GUARDS = re.compile(r"nonReentrant\w*|lock|noReentrancy|reentrancyGuard|mutex", re.IGNORECASE)
_FLAGS = {"bool", "uint256", "uint", "uint8"}
_CHECKERS = re.compile(
    r"_?(?:check|require|only|enforce|validate|assert|ensure|verify|authorize|authenticate)\w*"
    r"(?:Owner|Role|Admin|Auth|Caller|Sender|Govern|Permission|Access|Operator|Keeper|Minter|Manager|Signer|Signature)\w*"
    r"|_?(?:isAuthorized|isOwner|hasRole|isApprovedOrOwner|_isAuthorized|requiresAuth|_auth)"
)


@dataclass(frozen=True, slots=True)
class ExternalCall:
    """`kind` is `low-level`, `ether` (transfer or send, 2300 gas), `token` or `contract`."""

    kind: str
    target: str  # what stands before the dot
    method: str
    line: int
    sends_ether: bool = False


@dataclass(slots=True)
class Scope:
    """A contract with what it inherits from contracts of the same file."""

    source: Source
    contract: Contract
    lineage: list[Contract]
    state: dict[str, Variable]
    functions: dict[str, list[Function]]
    summaries: dict[int, "Summary"] = field(default_factory=dict)
    writable: dict[int, dict[str, str]] = field(default_factory=dict)
    restricted: dict[int, bool] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether all its ancestors are in the file, so that what is not seen does not exist."""
        return all(self.source.contract(base) is not None for one in self.lineage for base in one.bases)

    def own(self) -> Iterator[Function]:
        """Functions and modifiers with a body that this contract itself writes down."""
        for function in [*self.contract.functions, *self.contract.modifiers]:
            if function.has_body:
                yield function


@dataclass(frozen=True, slots=True)
class Summary:
    """What calling a function may do, directly or through functions of the same contract."""

    calls: tuple[ExternalCall, ...]
    writes: frozenset[str]


def scopes(source: Source) -> list[Scope]:
    """A scope for each contract that has code."""
    made = []
    for contract in source.contracts:
        if contract.is_interface:
            continue
        lineage = source.ancestry(contract)
        state = {variable.name: variable for one in reversed(lineage) for variable in one.variables}
        functions: dict[str, list[Function]] = {}
        for one in lineage:
            for function in one.functions:
                if function.has_body and function.kind == "function":
                    functions.setdefault(function.name, []).append(function)
        made.append(Scope(source, contract, lineage, state, functions))
    return made


def external_calls(tokens: list[Token], scope: Scope, function: Function) -> list[ExternalCall]:
    """The calls to other contracts in some tokens, in their order, calls that only read left out."""
    found: list[ExternalCall] = []
    for index in range(1, len(tokens) - 1):
        if tokens[index].text != "." or tokens[index + 1].kind != "name":
            continue
        method = tokens[index + 1].text
        after = index + 2
        sends = False
        if after < len(tokens) and tokens[after].text == "{":
            end = closing(tokens, after)
            sends = contains(tokens[after:end], "value", ":")
            after = end + 1
        # Before 0.7: target.call.value(amount)(data)
        if (
            method == "call"
            and after + 1 < len(tokens)
            and tokens[after].text == "."
            and tokens[after + 1].text == "value"
        ):
            sends, after = True, after + 2
        if after >= len(tokens) or tokens[after].text != "(":
            continue
        target, root = receiver(tokens, index)
        parts = arguments(tokens, after)
        kind = _call_kind(method, root, target, parts, sends, scope, function)
        if kind:
            found.append(ExternalCall(kind, target, method, tokens[index + 1].line, sends))
    return found


def _call_kind(
    method: str, root: str, target: str, parts: list[list[Token]], sends: bool, scope: Scope, function: Function
) -> str:
    if method in LOW_LEVEL:
        return "low-level"
    if method in {"transfer", "send"} and len(parts) == 1:
        return "ether"
    if root in {
        "abi",
        "super",
        "type",
        "block",
        "msg",
        "tx",
        "string",
        "bytes",
        "Math",
        "SafeMath",
        "ECDSA",
        "Strings",
        "this",
    }:
        return "contract" if root == "this" and not _READING.match(method) else ""
    if _is_library(root, scope):
        return (
            "contract"
            if method in {"sendValue", "functionCall", "functionCallWithValue", "functionDelegateCall"}
            else ""
        )
    if method in _HANDING_OVER or method in {"transfer", "transferFrom"}:
        return "token"
    if _READING.match(method) and not sends:
        return ""
    declared = _declared_mutability(root, target, method, scope, function)
    if declared == "reads" and not sends:
        return ""
    return "contract" if declared == "writes" or sends or _is_contract_like(root, target, scope, function) else ""


def _is_library(root: str, scope: Scope) -> bool:
    found = scope.source.contract(root)
    return (found is not None and found.kind == "library") or root in {"Address", "SafeERC20", "TransferHelper"}


def _declared_mutability(root: str, target: str, method: str, scope: Scope, function: Function) -> str:
    """What an interface in the file says about the method: `reads`, `writes`, or nothing."""
    name = _type_of(root, target, scope, function)
    contract = scope.source.contract(name) if name else None
    if contract is None:
        return ""
    for one in scope.source.ancestry(contract):
        for candidate in one.functions:
            if candidate.name == method:
                return "writes" if candidate.changes_state else "reads"
    return ""


def _type_of(root: str, target: str, scope: Scope, function: Function) -> str:
    """The contract type of a call's receiver, as far as it is written down."""
    if match := re.match(r"([A-Z]\w*)\(", target):
        return match[1]
    if (variable := function.named(root)) is not None:
        return variable.type
    if root in scope.state:
        kind = scope.state[root].type
        return (
            re.split(r"=>|\)|\[", kind)[-2 if kind.endswith(")") else 0]
            if kind.startswith("mapping")
            else kind.rstrip("[]")
        )
    return ""


def _is_contract_like(root: str, target: str, scope: Scope, function: Function) -> bool:
    kind = _type_of(root, target, scope, function)
    return bool(kind) and kind[0].isupper() and not is_type_word(kind) and _is_no_struct(kind, scope)


def _is_no_struct(kind: str, scope: Scope) -> bool:
    found = scope.source.contract(kind)
    return found is not None or bool(
        re.match(r"I[A-Z]|ERC\d|.*(?:Token|Router|Pool|Vault|Oracle|Feed|Factory|Registry|Bank|Proxy)$", kind)
    )


def receiver(tokens: list[Token], dot: int) -> tuple[str, str]:
    """What stands before the dot at index `dot`: its whole text, and the name it begins with."""
    index = dot - 1
    while index >= 0:
        text = tokens[index].text
        if text in {")", "]", "}"}:
            depth = 0
            while index >= 0:
                depth += tokens[index].text in {")", "]", "}"}
                depth -= tokens[index].text in {"(", "[", "{"}
                if depth == 0:
                    break
                index -= 1
            if index > 0 and (tokens[index - 1].kind == "name" or tokens[index - 1].text in {")", "]"}):
                index -= 1
                continue
        elif tokens[index].kind not in {"name", "number"}:
            index += 1
            break
        if index > 1 and tokens[index - 1].text == ".":
            index -= 2
            continue
        break
    start = max(index, 0)
    words = [token.text for token in tokens[start:dot] if token.kind == "name"]
    unwrapped = [word for word in words if word not in {"payable", "address"}]
    return "".join(texts(tokens[start:dot])), (unwrapped or words or [""])[0]


def written(statement: Statement, scope: Scope, function: Function) -> set[str]:
    """The state variables that the statement itself writes."""
    if statement.kind in {"emit", "revert", "return"} and statement.kind != "return":
        return set()
    tokens = statement.tokens
    writable = _writable(function, scope)
    found: set[str] = set()

    def note(name: str) -> None:
        if name in writable:
            found.add(writable[name])

    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "string":
            continue
        if token.text in {"(", "[", "{"}:
            depth += 1
        elif token.text in {")", "]", "}"}:
            depth -= 1
        elif token.text in ASSIGNMENTS and not (index and tokens[index - 1].text == ":"):
            left = tokens[:index] if depth == 0 else tokens[_left_of(tokens, index) : index]
            for target in _targets(left):
                note(target)
        elif token.text in {"++", "--"}:
            if index + 1 < len(tokens) and tokens[index + 1].kind == "name":
                note(tokens[index + 1].text)
            elif index:
                note(receiver(tokens, index)[1])
        elif token.text == "delete" and index + 1 < len(tokens):
            note(tokens[index + 1].text)
        elif (
            token.text in {"push", "pop"}
            and index > 1
            and tokens[index - 1].text == "."
            and tokens[index + 1 : index + 2]
        ):
            note(receiver(tokens, index - 1)[1])
    return found


def _writable(function: Function, scope: Scope) -> dict[str, str]:
    """The names by which the function reaches state variables, and which these are."""
    key = id(function)
    if key not in scope.writable:
        hidden = {variable.name for variable in [*function.parameters, *function.locals()]}
        reached = {name: name for name in scope.state if name not in hidden}
        scope.writable[key] = reached | storage_aliases(function, scope)
    return scope.writable[key]


def _left_of(tokens: list[Token], index: int) -> int:
    start = index
    while start > 0 and tokens[start - 1].text not in {"(", ",", ";", "{", "&&", "||"}:
        start -= 1
    return start


def _targets(left: list[Token]) -> list[str]:
    """The names on the left of an assignment that are assigned to, not declared."""
    if left and left[0].text == "(" and closing(left, 0) == len(left) - 1:
        return [part[0].text for part in arguments(left, 0) if part and (len(part) == 1 or part[1].text in {".", "["})]
    if not left or left[0].kind != "name":
        return []
    if len(left) == 1 or left[1].text in {".", "["}:
        # `Type[] memory x = …` begins like an element of an array, but ends with a name of its own.
        end = 1
        while end < len(left):
            if left[end].text == "[":
                end = closing(left, end) + 1
            elif left[end].text == ".":
                end += 2
            else:
                return []
        return [left[0].text]
    return []


def storage_aliases(function: Function, scope: Scope) -> dict[str, str]:
    """Local names that point into storage, and the state variable they point to."""
    found: dict[str, str] = {}
    for statement in function.statements():
        index = find(statement.tokens, "storage")
        if index >= 0 and index + 2 < len(statement.tokens) and statement.tokens[index + 2].text == "=":
            root = next((token.text for token in statement.tokens[index + 3 :] if token.kind == "name"), "")
            if root in scope.state or root in found:
                found[statement.tokens[index + 1].text] = found.get(root, root)
    for parameter in function.parameters:
        if "storage" in parameter.words:
            found[parameter.name] = parameter.name
    return found


def internal_calls(tokens: list[Token], scope: Scope) -> list[Function]:
    """The functions of the same contract that the tokens call."""
    found: list[Function] = []
    for index, token in enumerate(tokens[:-1]):
        if token.kind == "name" and tokens[index + 1].text == "(" and token.text in scope.functions:
            before = tokens[index - 1].text if index else ""
            if before != "." or (index > 1 and tokens[index - 2].text == "super"):
                found.extend(scope.functions[token.text])
    return found


def summary(function: Function, scope: Scope, visiting: frozenset[int] = frozenset()) -> Summary:
    """What calling the function may do."""
    key = id(function)
    if key in scope.summaries:
        return scope.summaries[key]
    if key in visiting or len(visiting) > 20:
        return Summary((), frozenset())
    calls: list[ExternalCall] = []
    writes: set[str] = set()
    for statement in function.statements():
        calls.extend(external_calls(statement.tokens, scope, function))
        writes |= written(statement, scope, function)
        for inner in internal_calls(statement.tokens, scope):
            below = summary(inner, scope, visiting | {key})
            calls.extend(below.calls)
            writes |= below.writes
    made = Summary(tuple(calls), frozenset(writes))
    if not visiting:
        scope.summaries[key] = made
    return made


def is_guarded(function: Function, scope: Scope) -> bool:
    """Whether a lock keeps it from being entered twice: a modifier, or a flag that is tested and then set."""
    if any(_GUARDS.fullmatch(name) for name in function.modifiers):
        return True
    tested: set[str] = set()
    for statement in function.statements():
        tokens = statement.tokens
        if len(tokens) == 3 and tokens[1].text == "=" and tokens[0].text in tested:
            return True
        if statement.kind == "if" or (tokens and tokens[0].text == "require"):
            tested |= {name for name in names(tokens) if name in scope.state and scope.state[name].type in _FLAGS}
        if external_calls(tokens, scope, function):
            return False
    return False


def is_restricted(function: Function, scope: Scope) -> bool:
    """Whether only some may call it: by a modifier, or by a look at the caller in its body."""
    key = id(function)
    if key not in scope.restricted:
        scope.restricted[key] = _is_restricted(function, scope)
    return scope.restricted[key]


def _is_restricted(function: Function, scope: Scope) -> bool:
    for name in function.modifiers:
        if name in {base for one in scope.lineage for base in one.bases} or _HARMLESS_MODIFIERS.match(name):
            continue
        declared = [one for contract in scope.lineage for one in contract.modifiers if one.name == name]
        if not declared or any(_looks_at_caller(one, scope) or _is_named_restriction(one) for one in declared):
            return True
    return _looks_at_caller(function, scope)


def _is_named_restriction(modifier: Function) -> bool:
    """Whether a modifier that calls itself a restriction does anything before or after the function."""
    return bool(_RESTRICTION.match(modifier.name)) and len(modifier.tokens) > 2


def _looks_at_caller(function: Function, scope: Scope, depth: int = 0) -> bool:
    aliases = _caller_aliases(function)
    tokens = function.tokens
    for index, token in enumerate(tokens[:-1]):
        if token.kind != "name" or tokens[index + 1].text != "(":
            continue
        if token.text in {"require", "if", "assert"}:
            if _names_caller(tokens[index + 1 : closing(tokens, index + 1)], aliases):
                return True
        elif _CHECKERS.fullmatch(token.text):
            return True
    return depth < 3 and any(
        _looks_at_caller(one, scope, depth + 1)
        for one in internal_calls(tokens, scope)
        if one.visibility in {"internal", "private"} and len(one.tokens) < 60
    )


def _caller_aliases(function: Function) -> frozenset[str]:
    """Locals that hold the caller, as `sender` after `address sender = _msgSender()`."""
    found = set()
    for statement in function.statements():
        tokens = statement.tokens
        for tail in (("=", "msg", ".", "sender"), ("=", "_msgSender", "(", ")")):
            index = find(tokens, *tail)
            if index > 0 and index + len(tail) == len(tokens):
                found.add(tokens[index - 1].text)
    return frozenset(found)


def _names_caller(condition: list[Token], aliases: frozenset[str]) -> bool:
    """Whether a condition compares the caller, or looks the caller up in a list.

    What the caller owns is another matter: a look at it keeps nobody out.
    """
    return any(
        _is_about_caller(part)
        for half in split(condition[1:], "&&")
        for part in split(half, "||")
        if _mentions_caller(part) or names(part) & aliases
    )


def _mentions_caller(tokens: list[Token]) -> bool:
    return (
        contains(tokens, "msg", ".", "sender")
        or contains(tokens, "_msgSender", "(")
        or contains(tokens, "tx", ".", "origin")
    )


def _is_about_caller(part: list[Token]) -> bool:
    marks = {token.text for token in part if token.kind == "mark"}
    if {"<", ">", "<=", ">="} & marks:
        return False
    for mark in ("==", "!="):
        sides = split(part, mark)
        if len(sides) == 2:
            # `balances[msg.sender] == 0` and `msg.sender != address(0)` let anyone through.
            return not any(side and (side[0].kind == "number" or contains(side, "address", "(", "0")) for side in sides)
    return True


def names(tokens: list[Token]) -> set[str]:
    """All identifiers among the tokens."""
    return {token.text for token in tokens if token.kind == "name"}
