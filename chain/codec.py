"""Encoding of calls and decoding of results, logs and errors by a contract's ABI, without a node.

Decoded values are ready for JSON: every integer is a decimal string, bytes are 0x-prefixed hex, addresses are
checksummed, structs are objects by member name. `Interface.call_result` gives Python's own types instead.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError
from web3 import Web3

WORD = 32


class LogDecodingError(ValueError):
    """A log carries the topic of an event but not its data."""


@dataclass(frozen=True, slots=True)
class DecodedLog:
    """An event by name with its arguments in JSON form."""

    name: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Event:
    name: str
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]
    order: tuple[str, ...]
    all_static: bool


class Interface:
    """What a contract understands and says."""

    def __init__(self, abi: Iterable[Mapping[str, Any]]) -> None:
        self._functions: dict[str, Mapping[str, Any]] = {}
        self._events: dict[bytes, _Event] = {}
        self._errors: dict[bytes, tuple[str, list[str]]] = {}
        for item in abi:
            if item["type"] == "function":
                self._functions[item["name"]] = item
            elif item["type"] == "event" and not item.get("anonymous"):
                self._events[_hash(_signature(item))] = _event(item)
            elif item["type"] == "error":
                types = [_type(each) for each in item["inputs"]]
                self._errors[_hash(_signature(item))[:4]] = (item["name"], types)
            elif item["type"] == "constructor":
                self.constructor_inputs = tuple((each["name"], _type(each)) for each in item["inputs"])
        if not hasattr(self, "constructor_inputs"):
            self.constructor_inputs = ()

    def encode_call(self, function: str, *args: Any) -> bytes:
        """Call data of `function`. Raises eth_abi's EncodingError for arguments outside their type."""
        item = self._functions[function]
        return _hash(_signature(item))[:4] + abi_encode([_type(each) for each in item["inputs"]], args)

    def selector(self, function: str) -> bytes:
        """The four bytes that call data of `function` begins with. Raises KeyError."""
        return _hash(_signature(self._functions[function]))[:4]

    def encode_constructor(self, *args: Any) -> bytes:
        """The bytes that follow the creation code."""
        return abi_encode([kind for _, kind in self.constructor_inputs], args)

    def call_result(self, function: str, data: bytes) -> Any:
        """The value that `function` returned: one value, or a tuple. Raises eth_abi's DecodingError."""
        outputs = self._functions[function]["outputs"]
        values = abi_decode([_type(each) for each in outputs], data)
        shown = tuple(_checksummed(each, value) for each, value in zip(outputs, values, strict=True))
        return shown[0] if len(shown) == 1 else shown

    def topic(self, event: str) -> str:
        """The first topic of `event`. Raises KeyError."""
        for topic, item in self._events.items():
            if item.name == event:
                return "0x" + topic.hex()
        raise KeyError(event)

    def event_names(self) -> frozenset[str]:
        """Every event of the contract."""
        return frozenset(item.name for item in self._events.values())

    def decode_log(self, topics: Sequence[bytes], data: bytes) -> DecodedLog | None:
        """The event of a log, or None for one that the ABI does not name. Raises LogDecodingError."""
        event = self._events.get(topics[0]) if topics else None
        if event is None:
            return None
        if len(topics) != len(event.indexed) + 1:
            raise LogDecodingError(f"{event.name} has {len(topics) - 1} indexed arguments, not {len(event.indexed)}")
        values: dict[str, Any] = {}
        for (name, kind), topic in zip(event.indexed, topics[1:], strict=True):
            values[name] = _word(kind, topic) if _is_word(kind) else "0x" + topic.hex()
        if event.all_static:
            if len(data) != WORD * len(event.plain):
                raise LogDecodingError(f"{event.name} carries {len(data)} bytes, not {WORD * len(event.plain)}")
            for index, (name, kind) in enumerate(event.plain):
                values[name] = _word(kind, data[index * WORD : (index + 1) * WORD])
        else:
            try:
                decoded = abi_decode([kind for _, kind in event.plain], data)
            except DecodingError as exc:
                raise LogDecodingError(f"{event.name}: {exc}") from exc
            for (name, kind), value in zip(event.plain, decoded, strict=True):
                values[name] = _json(kind, value)
        return DecodedLog(event.name, {name: values[name] for name in event.order})

    def describe_error(self, data: bytes) -> str:
        """A custom error as `Name(value, ...)`, Solidity's own errors by their text, else the bytes in hex."""
        known = {**_SOLIDITY_ERRORS, **self._errors}.get(data[:4])
        if known is None:
            return "0x" + data.hex() if data else "no reason given"
        name, types = known
        try:
            values = abi_decode(types, data[4:])
        except DecodingError:
            return name
        if name == "Error":
            return str(values[0])
        shown = ", ".join(str(_json(kind, value)) for kind, value in zip(types, values, strict=True))
        return f"{name}({shown})"


_SOLIDITY_ERRORS = {
    bytes.fromhex("08c379a0"): ("Error", ["string"]),
    bytes.fromhex("4e487b71"): ("Panic", ["uint256"]),
}


@lru_cache(maxsize=4096)
def checksum(raw: bytes) -> str:
    """The EIP-55 form of 20 bytes."""
    return str(Web3.to_checksum_address(raw))


def _event(item: Mapping[str, Any]) -> _Event:
    inputs = [(each["name"], _type(each), each["indexed"]) for each in item["inputs"]]
    plain = tuple((name, kind) for name, kind, indexed in inputs if not indexed)
    return _Event(
        name=item["name"],
        indexed=tuple((name, kind) for name, kind, indexed in inputs if indexed),
        plain=plain,
        order=tuple(name for name, _, _ in inputs),
        all_static=all(_is_word(kind) for _, kind in plain),
    )


def _hash(signature: str) -> bytes:
    return bytes(Web3.keccak(text=signature))


def _signature(item: Mapping[str, Any]) -> str:
    return f"{item['name']}({','.join(_type(each) for each in item['inputs'])})"


def _type(each: Mapping[str, Any]) -> str:
    kind = str(each["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(part) for part in each['components'])}){kind.removeprefix('tuple')}"


def _is_word(kind: str) -> bool:
    """Whether a value of this type is exactly one 32-byte word."""
    return kind in _WORD_DECODERS or (kind.startswith("uint") and "[" not in kind)


def _word(kind: str, word: bytes) -> Any:
    decoder = _WORD_DECODERS.get(kind)
    if decoder is not None:
        return decoder(word)
    value = int.from_bytes(word)
    bits = int(kind.removeprefix("uint"))
    if value >> bits:
        raise LogDecodingError(f"a value does not fit {kind}")
    return str(value)


def _address_word(word: bytes) -> str:
    if word[:12].strip(b"\0"):
        raise LogDecodingError("an address has more than 20 bytes")
    return checksum(word[12:])


def _bool_word(word: bytes) -> bool:
    value = int.from_bytes(word)
    if value > 1:
        raise LogDecodingError("a bool is neither 0 nor 1")
    return value == 1


_WORD_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "uint256": lambda word: str(int.from_bytes(word)),
    "int256": lambda word: str(int.from_bytes(word, signed=True)),
    "address": _address_word,
    "bool": _bool_word,
    "bytes32": lambda word: "0x" + word.hex(),
}


def _json(kind: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_json(kind[: kind.rindex("[")] if "[" in kind else "", each) for each in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return checksum(bytes.fromhex(value[2:])) if kind == "address" else value


def _checksummed(each: Mapping[str, Any], value: Any) -> Any:
    """eth_abi gives addresses in lower case and structs as bare tuples."""
    if each["type"] == "tuple":
        parts = zip(each["components"], value, strict=True)
        return {part["name"]: _checksummed(part, inner) for part, inner in parts}
    if each["type"] == "address":
        return checksum(bytes.fromhex(value[2:]))
    return value
