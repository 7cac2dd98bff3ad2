"""Contracts whose address follows from their code alone, the same on every network.

They are made by the deterministic deployer (https://github.com/Arachnid/deterministic-deployment-proxy): its input is a
salt and the creation code, so the code at such an address cannot be any other.
"""

from web3 import Web3

from chain.artefacts import ACCOUNT_FACTORY, ENTRY_POINT, Artefact

DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
SALTS = {
    # eth-infinitism's, which gives EntryPoint v0.7 its well-known address.
    ENTRY_POINT: "0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3",
    ACCOUNT_FACTORY: "0x" + "00" * 32,
}


def address_of(artefact: Artefact) -> str:
    """Where `artefact` is, or will be, on every network."""
    parts = b"\xff" + _bytes(DEPLOYER) + _bytes(SALTS[artefact.name]) + Web3.keccak(artefact.creation_code)
    return str(Web3.to_checksum_address(bytes(Web3.keccak(parts))[12:]))


def deployment_data(artefact: Artefact) -> bytes:
    """What to send to DEPLOYER."""
    return _bytes(SALTS[artefact.name]) + artefact.creation_code


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
