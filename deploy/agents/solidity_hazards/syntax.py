"""The structure of a Solidity file: contracts, functions and statements. Made to survive code that does not compile."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .tokens import Token, arguments, closing, split, texts

VISIBILITIES = frozenset({"public", "external", "internal", "private"})
MUTABILITIES = frozenset({"pure", "view", "payable", "constant"})
_DATA = frozenset({"memory", "storage", "calldata"})
_ELEMENTARY_STARTS = ("uint", "int", "bytes", "fixed", "ufixed")
_STATEMENT_WORDS = frozenset({"if", "for", "while", "do", "try", "unchecked", "assembly", "else", "catch"})
_MEMBER_WORDS = frozenset(
    {"function", "constructor", "modifier", "receive", "fallback", "struct", "enum", "event", "error", "using", "type"}
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A state variable, parameter or local: `type` is its tokens joined, `words` are its attributes."""

    name: str
    type: str
    line: int
    words: frozenset[str] = frozenset()
    value: tuple[Token, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether it can never change after deployment."""
        return "constant" in self.words or "immutable" in self.words


@dataclass(slots=True, eq=False)
class Statement:
    """`kind` is the word it begins with, or `expression`; `tokens` are its own, `branches` the blocks inside it."""

    kind: str
    tokens: list[Token]
    line: int
    branches: list[list["Statement"]] = field(default_factory=list)

    def walk(self) -> Iterator["Statement"]:
        """This statement and all inside it."""
        yield self
        for branch in self.branches:
            for inner in branch:
                yield from inner.walk()


@dataclass(slots=True, eq=False)
class Function:
    """A function, constructor, modifier, `receive` or `fallback`; `kind` says which."""

    kind: str
    name: str
    line: int
    parameters: list[Variable]
    returns: list[Variable]
    words: list[str]  # visibility, mutability, virtual, override
    modifiers: list[str]  # names
    tokens: list[Token]  # of the body
    body: list[Statement]
    has_body: bool
    _locals: list[Variable] | None = None

    @property
    def visibility(self) -> str:
        """As written; `public` where nothing is, which is what compilers before 0.5 took it for."""
        found = [word for word in self.words if word in VISIBILITIES]
        if self.kind in {"receive", "fallback"}:
            return "external"
        return found[0] if found else "public"

    @property
    def is_open(self) -> bool:
        """Whether anyone can call it on the deployed contract."""
        return (
            self.has_body
            and self.kind in {"function", "receive", "fallback"}
            and self.visibility in {"public", "external"}
        )

    @property
    def changes_state(self) -> bool:
        """Whether it is declared such that it may write."""
        return not {"pure", "view", "constant"} & set(self.words)

    @property
    def is_payable(self) -> bool:
        """Whether it takes ether."""
        return "payable" in self.words

    def statements(self) -> Iterator[Statement]:
        """All statements, inner ones included, in the order of the source."""
        for statement in self.body:
            yield from statement.walk()

    def locals(self) -> list[Variable]:
        """The variables that statements declare."""
        if self._locals is None:
            self._locals = [one for statement in self.statements() for one in declared(statement.tokens)]
        return self._locals

    def named(self, name: str) -> Variable | None:
        """The parameter, result or local of that name."""
        return next((one for one in (*self.parameters, *self.returns, *self.locals()) if one.name == name), None)


@dataclass(slots=True, eq=False)
class Contract:
    """A contract, library, interface or abstract contract."""

    kind: str
    name: str
    line: int
    bases: list[str]
    variables: list[Variable] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    modifiers: list[Function] = field(default_factory=list)
    using: list[str] = field(default_factory=list)

    @property
    def is_interface(self) -> bool:
        """Whether it has no code."""
        return self.kind == "interface"


@dataclass(slots=True)
class Source:
    """A file."""

    pragmas: list[tuple[int, str]] = field(default_factory=list)
    imports: list[tuple[int, str]] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)

    def contract(self, name: str) -> Contract | None:
        """The contract of that name in this file."""
        return next((one for one in self.contracts if one.name == name), None)

    def ancestry(self, contract: Contract) -> list[Contract]:
        """The contract and those of its ancestors that are in this file."""
        found: list[Contract] = []
        queue = [contract]
        while queue:
            one = queue.pop(0)
            if one not in found:
                found.append(one)
                queue.extend(base for name in one.bases if (base := self.contract(name)) is not None)
        return found


def parse(tokens: list[Token]) -> Source:
    """The structure of the tokens. What is not understood is skipped."""
    source = Source()
    index = 0
    while index < len(tokens):
        text = tokens[index].text
        if text in {"pragma", "import"}:
            end = _statement_end(tokens, index)
            content = " ".join(texts(tokens[index + 1 : end]))
            (source.pragmas if text == "pragma" else source.imports).append((tokens[index].line, content))
            index = end + 1
        elif text in {"contract", "library", "interface", "abstract"}:
            index = _contract(source, tokens, index)
        elif text == "function":
            function, index = _function(tokens, index)
            source.functions.append(function)
        elif text in {"struct", "enum"}:
            index = _skip_block(tokens, index)
        else:
            index = _skip_block(tokens, index) if text == "{" else index + 1
    return source


def _contract(source: Source, tokens: list[Token], index: int) -> int:
    start = index
    kind = tokens[index].text
    if kind == "abstract":
        index += 1
    name = tokens[index + 1].text if index + 1 < len(tokens) else ""
    opening = index
    while opening < len(tokens) and tokens[opening].text not in {"{", ";"}:
        opening += 1
    heading = tokens[index + 2 : opening]
    bases = []
    if heading and heading[0].text == "is":
        bases = [part[0].text for part in split(heading[1:], ",") if part]
    contract = Contract(kind, name, tokens[start].line, bases)
    source.contracts.append(contract)
    if opening >= len(tokens) or tokens[opening].text == ";":
        return opening + 1
    end = closing(tokens, opening)
    _members(contract, tokens[opening + 1 : end])
    return end + 1


def _members(contract: Contract, tokens: list[Token]) -> None:
    index = 0
    while index < len(tokens):
        text = tokens[index].text
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if text in {"function", "constructor", "modifier"} or (text in {"receive", "fallback"} and following == "("):
            function, index = _function(tokens, index)
            (contract.modifiers if function.kind == "modifier" else contract.functions).append(function)
        elif text in {"struct", "enum"}:
            index = _skip_block(tokens, index)
        elif text in _MEMBER_WORDS:
            end = _statement_end(tokens, index)
            if text == "using":
                contract.using.extend(texts(tokens[index + 1 : end]))
            index = end + 1
        else:
            end = _statement_end(tokens, index)
            variable = _state_variable(tokens[index:end])
            if variable is not None:
                contract.variables.append(variable)
            index = end + 1
    # Before Solidity 0.5 a function with the contract's name was its constructor.
    for function in contract.functions:
        if function.kind == "function" and function.name == contract.name and contract.name:
            function.kind = "constructor"


def _state_variable(tokens: list[Token]) -> Variable | None:
    declaration, *rest = split(tokens, "=") or [[]]
    parsed = _variable(declaration)
    if parsed is None:
        return None
    value = tuple(token for part in rest for token in part)
    return Variable(parsed.name, parsed.type, parsed.line, parsed.words, value)


def _variable(tokens: list[Token]) -> Variable | None:
    """The variable that `type words name` declares, or None where the tokens are something else."""
    if len(tokens) < 2 or tokens[-1].kind != "name":
        return None
    name = tokens[-1]
    end = _type_end(tokens)
    if end == 0 or end > len(tokens) - 1:
        return None
    kind = "".join(texts(tokens[:end]))
    words = frozenset(token.text for token in tokens[end:-1] if token.kind == "name")
    return Variable(name.text, kind, name.line, words)


def _type_end(tokens: list[Token]) -> int:
    """How many tokens the type at the beginning has; 0 where there is none."""
    if not tokens or tokens[0].kind != "name":
        return 0
    if tokens[0].text in {"mapping", "function"} and len(tokens) > 1 and tokens[1].text == "(":
        end = closing(tokens, 1) + 1
    else:
        end = 1
        while end + 1 < len(tokens) and tokens[end].text == ".":
            end += 2
        if tokens[0].text == "address" and end < len(tokens) and tokens[end].text == "payable":
            end += 1
    while end < len(tokens) and tokens[end].text == "[":
        end = closing(tokens, end) + 1
    return end


def _parameters(tokens: list[Token], opening: int) -> list[Variable]:
    found = []
    for part in arguments(tokens, opening):
        variable = _variable(part)
        if variable is not None and variable.name not in _DATA and not is_type_word(variable.name):
            found.append(variable)
        elif part:
            words = frozenset(token.text for token in part if token.text in _DATA)
            kind = "".join(token.text for token in part if token.text not in _DATA)
            found.append(Variable("", kind, part[0].line, words))
    return found


def is_type_word(text: str) -> bool:
    """Whether the word is an elementary type."""
    return text in {"address", "bool", "string", "payable"} or (
        text.startswith(_ELEMENTARY_STARTS) and text.lstrip("abcdefghijklmnopqrstuvwxyz").isdigit()
    )


def _function(tokens: list[Token], index: int) -> tuple[Function, int]:
    first = tokens[index]
    kind, name = first.text, first.text
    index += 1
    if kind in {"function", "modifier"}:
        if index < len(tokens) and tokens[index].kind == "name":
            name = tokens[index].text
            index += 1
        else:
            kind = name = "fallback"  # before 0.6 the fallback function had no name
    parameters: list[Variable] = []
    if index < len(tokens) and tokens[index].text == "(":
        parameters = _parameters(tokens, index)
        index = closing(tokens, index) + 1
    words: list[str] = []
    modifiers: list[str] = []
    returns: list[Variable] = []
    while index < len(tokens) and tokens[index].text not in {"{", ";"}:
        text = tokens[index].text
        if text == "returns" and index + 1 < len(tokens) and tokens[index + 1].text == "(":
            returns = _parameters(tokens, index + 1)
            index = closing(tokens, index + 1)
        elif text in VISIBILITIES | MUTABILITIES | {"virtual", "override"}:
            words.append(text)
        elif text == "(":
            index = closing(tokens, index)
        elif tokens[index].kind == "name":
            modifiers.append(text)
        index += 1
    if index >= len(tokens) or tokens[index].text == ";":
        return Function(kind, name, first.line, parameters, returns, words, modifiers, [], [], False), index + 1
    end = closing(tokens, index)
    inside = tokens[index + 1 : end]
    return Function(
        kind, name, first.line, parameters, returns, words, modifiers, inside, _block(inside), True
    ), end + 1


def _block(tokens: list[Token]) -> list[Statement]:
    statements: list[Statement] = []
    index = 0
    while index < len(tokens):
        statement, index = _statement(tokens, index)
        if statement is not None:
            statements.append(statement)
    return statements


def _statement(tokens: list[Token], index: int) -> tuple[Statement | None, int]:
    first = tokens[index]
    if first.text == ";":
        return None, index + 1
    if first.text == "{":
        end = closing(tokens, index)
        return Statement("block", [], first.line, [_block(tokens[index + 1 : end])]), end + 1
    if first.text in {"unchecked", "assembly"} and first.kind == "name":
        return _special_block(tokens, index)
    if first.text in _STATEMENT_WORDS and first.kind == "name":
        return _control(tokens, index)
    end = _statement_end(tokens, index)
    words = {"return", "emit", "revert", "throw", "break", "continue", "delete"}
    return Statement(first.text if first.text in words else "expression", tokens[index:end], first.line), end + 1


def _special_block(tokens: list[Token], index: int) -> tuple[Statement, int]:
    first = tokens[index]
    opening = index
    while opening < len(tokens) and tokens[opening].text != "{":
        opening += 1
    end = closing(tokens, opening) if opening < len(tokens) else len(tokens)
    inside = tokens[opening + 1 : end]
    if first.text == "assembly":
        return Statement("assembly", inside, first.line), end + 1
    return Statement("unchecked", [], first.line, [_block(inside)]), end + 1


def _control(tokens: list[Token], index: int) -> tuple[Statement, int]:
    """if, for, while, do, try: the tokens of the condition or call, and the branches."""
    first = tokens[index]
    index += 1
    head: list[Token] = []
    if first.text == "try":
        start = index
        while index < len(tokens) and tokens[index].text not in {"{", ";"}:
            index = closing(tokens, index) + 1 if tokens[index].text in {"(", "["} else index + 1
            # A call with options, as in `x.f{value: 1}()`, has a brace that opens no block.
            if index < len(tokens) and tokens[index].text == "{" and _is_call_option(tokens, index):
                index = closing(tokens, index) + 1
        head = tokens[start:index]
    elif index < len(tokens) and tokens[index].text == "(":
        end = closing(tokens, index)
        head, index = tokens[index + 1 : end], end + 1
    statement = Statement(first.text, head, first.line)
    index = _branch(statement, tokens, index)
    while index < len(tokens) and tokens[index].text in {"else", "catch"}:
        word = tokens[index].text
        index += 1
        while word == "catch" and index < len(tokens) and tokens[index].text != "{":
            index = closing(tokens, index) + 1 if tokens[index].text == "(" else index + 1
        index = _branch(statement, tokens, index)
    if first.text == "do" and index < len(tokens) and tokens[index].text == "while":
        end = _statement_end(tokens, index)
        statement.tokens = tokens[index + 2 : end]
        index = end + 1
    return statement, index


def _branch(statement: Statement, tokens: list[Token], index: int) -> int:
    if index >= len(tokens):
        return index
    inner, index = _statement(tokens, index)
    if inner is not None:
        statement.branches.append(inner.branches[0] if inner.kind == "block" else [inner])
    else:
        statement.branches.append([])
    return index


def _is_call_option(tokens: list[Token], index: int) -> bool:
    return (
        index + 2 < len(tokens) and tokens[index + 2].text == ":" and tokens[index + 1].text in {"value", "gas", "salt"}
    )


def _statement_end(tokens: list[Token], index: int) -> int:
    """The index of the semicolon that ends the statement at `index`, or the end of the tokens."""
    while index < len(tokens):
        text = tokens[index].text
        if text == ";" and tokens[index].kind == "mark":
            return index
        index = closing(tokens, index) + 1 if text in {"(", "[", "{"} and tokens[index].kind == "mark" else index + 1
    return index


def _skip_block(tokens: list[Token], index: int) -> int:
    while index < len(tokens) and tokens[index].text not in {"{", ";"}:
        index += 1
    return closing(tokens, index) + 1 if index < len(tokens) and tokens[index].text == "{" else index + 1


def declared(tokens: list[Token]) -> list[Variable]:
    """The local variables that a statement declares."""
    if not tokens:
        return []
    if tokens[0].text == "(":
        left = split(tokens, "=")[0]
        if left and left[0].text == "(" and closing(left, 0) == len(left) - 1:
            return [one for part in arguments(left, 0) if (one := _variable(part)) is not None]
        return []
    left = (split(split(tokens, ";")[0], "=") or [[]])[0]
    variable = _variable(left)
    if variable is None or left[0].text in {"return", "emit", "revert", "delete", "new", "throw"}:
        return []
    return [variable]
