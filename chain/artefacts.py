"""The compiled contracts that `chain/abi/` carries, as the contracts' build wrote them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chain.codec import Interface

FOLDER = Path(__file__).parent / "abi"
ESCROW = "AgentNexusEscrow"
ENTITLEMENTS = "AgentNexusEntitlements"
TEST_USDC = "TestUSDC"
VALIDATE_SIG_OFFCHAIN = "ValidateSigOffchain"
ENTRY_POINT = "EntryPoint"
ACCOUNT_FACTORY = "AgentAccountFactory"
AGENT_ACCOUNT = "AgentAccount"
PASSKEY_ACCOUNT = "AgentPasskeyAccount"
SPONSOR_PAYMASTER = "SponsorPaymaster"


@dataclass(frozen=True, slots=True)
class Artefact:
    """One compiled contract. `immutables` maps a name to its places in the runtime code, as (start, length)."""

    name: str
    interface: Interface
    abi: tuple[dict[str, Any], ...]
    creation_code: bytes
    runtime_code: bytes
    immutables: Mapping[str, tuple[tuple[int, int], ...]]


@cache
def load(name: str) -> Artefact:
    """The artefact of the contract `name`. Raises FileNotFoundError."""
    content = json.loads((FOLDER / f"{name}.json").read_text())
    return Artefact(
        name=name,
        interface=Interface(content["abi"]),
        abi=tuple(content["abi"]),
        creation_code=bytes.fromhex(content["bytecode"].removeprefix("0x")),
        runtime_code=bytes.fromhex(content["deployedBytecode"].removeprefix("0x")),
        immutables={
            key: tuple((place["start"], place["length"]) for place in places)
            for key, places in content["immutableReferences"].items()
        },
    )
