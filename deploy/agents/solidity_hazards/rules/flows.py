"""Reentrancy: state that is written after a call has given control away."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..finding import Finding, Hazard
from ..model import ExternalCall, Scope, external_calls, internal_calls, is_guarded, is_restricted, written
from ..syntax import Function, Statement

REENTRANCY = Hazard(
    "reentrancy",
    "high",
    "State is written after an external call",
    "The called contract can call back before the state is updated, and see, or spend, the old state again. "
    "This is how The DAO and many since were emptied.",
    "Update the state before the call (checks, effects, interactions), or add a nonReentrant modifier.",
)


DEEPEST = 8  # functions of the contract within functions
MOST_STEPS = 2_000  # functions entered on the paths from one entry function

_Calls = tuple[ExternalCall, ...]


@dataclass(frozen=True, slots=True)
class _Path:
    """The calls made on the way to a statement; `ended` where the way ends in return or revert."""

    calls: _Calls = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class _Late:
    """A write after a call."""

    call: ExternalCall
    line: int
    names: frozenset[str]


class _Walk:
    """Follows one entry function through the statements of a contract and collects what is written too late."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.late: dict[tuple[int, int], _Late] = {}
        self._steps = 0

    def follow(
        self, statements: list[Statement], path: _Path, function: Function, inside: tuple[Function, ...]
    ) -> _Path:
        """The path after the statements."""
        for statement in statements:
            path = self._step(statement, path, function, inside)
            if path.ended:
                break
        return path

    def _step(self, statement: Statement, path: _Path, function: Function, inside: tuple[Function, ...]) -> _Path:
        before = self._own_effects(statement, path, function, inside)
        if statement.kind in {"return", "revert", "throw"}:
            return _Path(before, ended=True)
        after = _Path(before)
        if statement.kind in {"for", "while", "do"}:
            # Twice, since what a later turn writes follows what an earlier one called.
            for _ in range(2):
                for branch in statement.branches:
                    after = _Path(self.follow(branch, after, function, inside).calls)
            return after
        if statement.kind in {"if", "try"}:
            return self._fork(statement, before, function, inside)
        for branch in statement.branches:
            after = self.follow(branch, after, function, inside)
        return after

    def _fork(self, statement: Statement, before: _Calls, function: Function, inside: tuple[Function, ...]) -> _Path:
        ends = [self.follow(branch, _Path(before), function, inside) for branch in statement.branches]
        going_on = [end.calls for end in ends if not end.ended]
        if statement.kind == "if" and len(statement.branches) < 2:
            going_on.append(before)
        merged = tuple({call: None for calls in going_on for call in calls})
        return _Path(merged, ended=not going_on)

    def _own_effects(
        self, statement: Statement, path: _Path, function: Function, inside: tuple[Function, ...]
    ) -> _Calls:
        """The calls made when the statement is done. Within it, what it calls comes before what it writes."""
        calls = path.calls
        for inner in internal_calls(statement.tokens, self.scope):
            self._steps += 1
            if (
                inner not in inside
                and len(inside) < DEEPEST
                and self._steps < MOST_STEPS
                and not is_guarded(inner, self.scope)
            ):
                calls = self.follow(inner.body, _Path(calls), inner, (*inside, inner)).calls
        own = [call for call in external_calls(statement.tokens, self.scope, function) if call.kind != "ether"]
        calls = tuple(dict.fromkeys((*calls, *own)))
        names = written(statement, self.scope, function)
        if names and calls:
            worst = max(calls, key=lambda call: (call.sends_ether, call.kind == "low-level"))
            self.late.setdefault((worst.line, statement.line), _Late(worst, statement.line, frozenset(names)))
        return calls


def reentrancy(scope: Scope) -> Iterator[Finding]:
    """Follows each entry function's paths through branches, loops and the contract's own functions."""
    for function in scope.own():
        if function.kind == "constructor" or is_guarded(function, scope) or not function.changes_state:
            continue
        if (
            function.kind == "function"
            and function.visibility in {"internal", "private"}
            and _has_caller(function, scope)
        ):
            continue  # seen through the functions that call it
        walk = _Walk(scope)
        walk.follow(function.body, _Path(), function, (function,))
        yield from _report(function, scope, list(walk.late.values()))


def _report(function: Function, scope: Scope, found: list[_Late]) -> Iterator[Finding]:
    by_call: dict[int, list[_Late]] = {}
    for late in found:
        by_call.setdefault(late.call.line, []).append(late)
    for members in by_call.values():
        call = members[0].call
        severity = "high" if call.sends_ether or call.kind == "low-level" else "medium"
        if is_restricted(function, scope):
            severity = "medium" if severity == "high" else "low"
        names = ", ".join(f"`{name}`" for name in sorted({name for late in members for name in late.names}))
        after = ", ".join(str(line) for line in sorted({late.line for late in members}))
        detail = f"`{call.target}.{call.method}` gives control away; {names} is written after it (line {after})"
        yield Finding(REENTRANCY, call.line, function.name, detail, severity)


def _has_caller(function: Function, scope: Scope) -> bool:
    return any(
        function in internal_calls(statement.tokens, scope)
        for other in [*scope.contract.functions, *scope.contract.modifiers]
        if other is not function
        for statement in other.statements()
    )
