"""Encoding and decoding by ABI, held against web3.py."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3

from chain import artefacts
from chain.codec import Interface, LogDecodingError

NAMES = (artefacts.ESCROW, artefacts.ENTITLEMENTS, artefacts.TEST_USDC)
ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def word(value: int) -> bytes:
    return value.to_bytes(32)


@pytest.mark.parametrize("contract_name", NAMES)
def test_topics_and_selectors_are_those_of_web3(contract_name: str) -> None:
    artefact = artefacts.load(contract_name)
    contract = Web3().eth.contract(abi=artefact.abi)
    for name in artefact.interface.event_names():
        assert artefact.interface.topic(name) == Web3.to_hex(hexstr=contract.events[name]().topic)
    for function in contract.all_functions():
        if not function.abi["inputs"]:
            encoded = "0x" + artefact.interface.encode_call(function.fn_name).hex()
            assert encoded == contract.encode_abi(function.fn_name, args=[])


@settings(max_examples=50, deadline=None)
@given(
    payment=st.binary(min_size=32, max_size=32),
    agent=st.integers(0, 2**256 - 1),
    people=st.lists(st.binary(min_size=20, max_size=20), min_size=4, max_size=4),
    amount=st.integers(0, 2**256 - 1),
    times=st.lists(st.integers(0, 2**64 - 1), min_size=3, max_size=3),
    bps=st.integers(0, 2**16 - 1),
)
def test_a_deposit_is_decoded_as_web3_does(
    payment: bytes, agent: int, people: list[bytes], amount: int, times: list[int], bps: int
) -> None:
    artefact = artefacts.load(artefacts.ESCROW)
    topic = bytes.fromhex(artefact.interface.topic("PaymentDeposited")[2:])
    topics = [topic, payment, word(agent), people[0].rjust(32, b"\0")]
    data = encode(
        ["address", "address", "address", "uint256", "uint16", "uint64", "uint64", "uint64"],
        [*("0x" + person.hex() for person in people[1:]), amount, bps, *times],
    )
    decoded = artefact.interface.decode_log(topics, data)
    event = Web3().eth.contract(abi=artefact.abi).events.PaymentDeposited()
    receipt: Any = {
        "address": ADDRESS,
        "topics": topics,
        "data": data,
        "logIndex": 0,
        "transactionIndex": 0,
        "transactionHash": b"",
        "blockHash": b"",
        "blockNumber": 1,
    }
    expected = event.process_log(receipt)["args"]
    assert decoded is not None
    assert decoded.name == "PaymentDeposited"
    shown = {
        key: "0x" + value.hex() if isinstance(value, bytes) else str(value) for key, value in dict(expected).items()
    }
    assert decoded.args == shown


def test_events_with_text_and_lists_are_decoded() -> None:
    interface = artefacts.load(artefacts.ENTITLEMENTS).interface
    topic = bytes.fromhex(interface.topic("URI")[2:])
    decoded = interface.decode_log([topic, word(7)], encode(["string"], ["ipfs://x"]))
    assert decoded is not None
    assert decoded.args == {"value": "ipfs://x", "id": "7"}
    topic = bytes.fromhex(interface.topic("TransferBatch")[2:])
    decoded = interface.decode_log([topic, word(1), word(2), word(3)], encode(["uint256[]"] * 2, [[1, 2**255], [3]]))
    assert decoded is not None
    assert decoded.args["ids"] == ["1", str(2**255)]


def test_a_log_of_another_contract_is_not_ours() -> None:
    assert artefacts.load(artefacts.ESCROW).interface.decode_log([b"\1" * 32], b"") is None
    assert artefacts.load(artefacts.ESCROW).interface.decode_log([], b"") is None


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([word(1)], word(5)),  # an indexed argument is missing
        ([word(1), word(2), word(3)], b""),  # the data is missing
        ([word(1), word(2), word(3)], word(5) + word(6)),  # there is too much data
        ([word(1), word(2), word(3)], word(2**64)),  # it does not fit uint64
        ([word(1), word(2**161), word(3)], word(5)),  # more than an address
    ],
)
def test_malformed_logs_are_refused(topics: list[bytes], data: bytes) -> None:
    interface = artefacts.load(artefacts.ENTITLEMENTS).interface
    first = bytes.fromhex(interface.topic("EntitlementChanged")[2:])
    with pytest.raises(LogDecodingError):
        interface.decode_log([first, *topics[1:]], data)


def test_a_bool_is_nothing_but_0_or_1() -> None:
    interface = artefacts.load(artefacts.ENTITLEMENTS).interface
    topic = bytes.fromhex(interface.topic("MinterChanged")[2:])
    decoded = interface.decode_log([topic, word(5)], word(1))
    assert decoded is not None
    assert decoded.args["allowed"] is True
    with pytest.raises(LogDecodingError):
        interface.decode_log([topic, word(5)], word(2))


def test_errors_are_named_with_their_values() -> None:
    interface = artefacts.load(artefacts.ESCROW).interface
    selector = bytes(Web3.keccak(text="FeeTooHigh(uint16,uint16)"))[:4]
    assert interface.describe_error(selector + encode(["uint16", "uint16"], [1001, 1000])) == "FeeTooHigh(1001, 1000)"
    assert interface.describe_error(bytes.fromhex("08c379a0") + encode(["string"], ["no"])) == "no"
    assert interface.describe_error(bytes.fromhex("4e487b71") + word(0x11)) == "Panic(17)"
    assert interface.describe_error(b"") == "no reason given"
    assert interface.describe_error(b"\1\2\3\4") == "0x01020304"
    assert interface.describe_error(selector) == "FeeTooHigh"


def test_the_topic_of_an_unknown_event_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Interface([]).topic("Nothing")
