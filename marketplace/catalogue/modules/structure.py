"""Reads what a WebAssembly module imports and exports, without running or compiling it.

The binary format is that of the core specification, section 5.5; functions are left to the engine's validator.
"""

from dataclasses import dataclass, field
from enum import IntEnum

MAGIC = b"\0asm"
CORE = b"\1\0\0\0"
MOST_NAMES = 10_000


class Kind(IntEnum):
    """What an import or export is."""

    FUNCTION = 0
    TABLE = 1
    MEMORY = 2
    GLOBAL = 3
    TAG = 4


@dataclass(frozen=True, slots=True)
class Structure:
    """Imports as (module, name, kind), exports by name, and what memory it begins with, in bytes."""

    imports: list[tuple[str, str, Kind]] = field(default_factory=list)
    exports: dict[str, Kind] = field(default_factory=dict)
    initial_memory: int = 0


def read_structure(module: bytes) -> Structure:
    """Raises ValueError with a sentence for the reader."""
    if module[:4] != MAGIC:
        raise ValueError("This is not a WebAssembly module: it does not begin with \\0asm.")
    if module[4:8] != CORE:
        raise ValueError(
            "This is a WebAssembly component or of an unknown version; build a core module for wasm32-wasip1."
        )
    imports: list[tuple[str, str, Kind]] = []
    exports: dict[str, Kind] = {}
    memory = 0
    reader = _Reader(module, 8)
    while not reader.ended:
        section, size = reader.byte(), reader.number()
        body = reader.part(size)
        if section == _IMPORTS:
            imports = [body.imported() for _ in range(body.count())]
        elif section == _MEMORIES:
            memory = sum(body.limits()[0] for _ in range(body.count())) * 65_536
        elif section == _EXPORTS:
            for _ in range(body.count()):
                name, kind = body.name(), body.kind()
                body.number()
                exports[name] = kind
    return Structure(imports, exports, memory)


_IMPORTS, _MEMORIES, _EXPORTS = 2, 5, 7
_BROKEN = "This WebAssembly module is broken or cut off."


class _Reader:
    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    @property
    def ended(self) -> bool:
        return self._at >= len(self._data)

    def byte(self) -> int:
        if self.ended:
            raise ValueError(_BROKEN)
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        """An unsigned LEB128 of at most 64 bits."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
        raise ValueError(_BROKEN)

    def count(self) -> int:
        number = self.number()
        if number > MOST_NAMES:
            raise ValueError(f"This module imports or exports more than {MOST_NAMES:,} things.")
        return number

    def part(self, size: int) -> "_Reader":
        if size > len(self._data) - self._at:
            raise ValueError(_BROKEN)
        self._at += size
        return _Reader(self._data[self._at - size : self._at])

    def name(self) -> str:
        size = self.number()
        if size > len(self._data) - self._at:
            raise ValueError(_BROKEN)
        self._at += size
        try:
            return self._data[self._at - size : self._at].decode()
        except UnicodeDecodeError as exc:
            raise ValueError(_BROKEN) from exc

    def kind(self) -> Kind:
        try:
            return Kind(self.byte())
        except ValueError as exc:
            raise ValueError(_BROKEN) from exc

    def limits(self) -> tuple[int, int | None]:
        flags = self.byte()
        return self.number(), self.number() if flags & 1 else None

    def imported(self) -> tuple[str, str, Kind]:
        module, name, kind = self.name(), self.name(), self.kind()
        if kind is Kind.FUNCTION:
            self.number()
        elif kind is Kind.MEMORY:
            self.limits()
        elif kind is Kind.GLOBAL:
            self._value_type()
            self.byte()
        elif kind is Kind.TABLE:
            self._value_type()
            self.limits()
        else:
            self.byte()
            self.number()
        return module, name, kind

    def _value_type(self) -> None:
        # Two forms of a reference type are followed by the type of its heap.
        if self.byte() in {0x63, 0x64}:
            self.number()
