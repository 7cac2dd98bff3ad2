"""Deploys and wires the contracts, step by step. Every step looks first, so the whole can be run again at any time."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from eth_typing import HexAddress, HexStr
from web3.types import Nonce
from web3.utils.address import get_create_address

from chain import artefacts
from chain.artefacts import ACCOUNT_FACTORY, ENTITLEMENTS, ENTRY_POINT, ESCROW, SPONSOR_PAYMASTER, TEST_USDC
from chain.calls import Call, Contract
from chain.deployments import create2
from chain.deployments.reset import forget_network
from chain.deployments.roles import Roles, roles_for
from chain.deployments.verify import CodeState, code_state
from chain.errors import DeploymentError, IncompleteAnswerError
from chain.models import Deployment, OutboxTransaction
from chain.networks import Network
from chain.outbox import Sender, enqueue
from chain.outbox.states import Status
from chain.rpc import pool_of

PATIENCE_SECONDS = 180.0
# Wei that a local chain's sponsor has for gas; elsewhere the operator pays in.
LOCAL_SPONSOR_DEPOSIT = 100 * 10**18


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done, or found done. `gas` and `block` are None when nothing was sent."""

    what: str
    address: str = ""
    transaction_hash: str = ""
    gas: int | None = None
    block: int | None = None


class Deployer:
    """Brings one network to the state that the settings describe."""

    def __init__(
        self, network: Network, report: Callable[[Step], None], *, owner: str = "", seconds: float | None = None
    ) -> None:
        self.network = network
        self.roles: Roles = roles_for(network)
        self._owner = owner
        self._report = report
        self._seconds = PATIENCE_SECONDS if seconds is None else seconds
        self._sender = Sender(network)

    def run(self) -> None:
        """Deploy what is missing, verify what is there, wire both.

        Raises DeploymentError with what to do, RpcUnavailableError, WrongChainError, MissingKeyError. Run it again to
        go on where it stopped.
        """
        with _only_one(self.network):
            self._check_records()
            entitlements = self._deploy(ENTITLEMENTS, {"owner_": self.roles.deployer})
            usdc = self.network.usdc or (self._deploy(TEST_USDC, {}).address if self.network.is_local else "")
            escrow = self._deploy(ESCROW, self._escrow_args(entitlements.address))
            self._wire(entitlements, "isMinter", "setMinter", escrow.address)
            self._wire(entitlements, "isMinter", "setMinter", self.roles.granter)
            if usdc:
                self._wire(escrow, "isTokenSupported", "setTokenSupported", usdc)
            owned = [entitlements, escrow]
            self._deploy_known(ENTRY_POINT)
            self._deploy_known(ACCOUNT_FACTORY)
            if self.roles.sponsor:
                owned.append(self._deploy_sponsor(self.roles.sponsor))
            if self._owner:
                for contract in owned:
                    self._hand_over(contract)
            self._check_terms(escrow)

    def _escrow_args(self, entitlements: str) -> dict[str, Any]:
        roles = self.roles
        return {
            "owner_": roles.deployer,
            "entitlements_": entitlements,
            "quoteSigner_": roles.quote_signer,
            "arbiter_": roles.arbiter,
            "feeRecipient_": roles.fee_recipient,
            "feeBps_": roles.fee_bps,
            "disputeWindow_": roles.dispute_window,
            "holdPeriod_": roles.hold_period,
        }

    # ------------------------------------------------------------------ what is recorded

    def _check_records(self) -> None:
        """Compare what the database says with the chain. A local chain may have been wiped, or its contracts built
        anew: then all is forgotten and made again. Anywhere else that is for a person to decide."""
        for row in Deployment.objects.filter(network=self.network.slug):
            verdict = code_state(self.network, artefacts.load(row.contract), row.address, constructor_args(row))
            if verdict.state == CodeState.SAME:
                continue
            if self.network.is_local:
                undone = forget_network(self.network)
                self._report(
                    Step(f"{row.contract}: {verdict.detail} The local chain is new; forgot it with {undone} events.")
                )
                return
            raise DeploymentError(
                f"{row.contract} is recorded at {row.address} on {self.network.name}, but: {verdict.detail} "
                "Check that the RPC URL belongs to the right chain and that chain/abi is the build that was deployed. "
                "Nothing was sent."
            )

    # ------------------------------------------------------------------ contracts

    def _deploy(self, name: str, args: dict[str, Any]) -> Contract:
        artefact = artefacts.load(name)
        row = Deployment.objects.filter(network=self.network.slug, contract=name).first()
        if row is not None:
            self._report(Step(f"{name} is there, its code verified", row.address, block=row.block_number))
            return Contract(self.network, row.address, artefact)
        data = artefact.creation_code + artefact.interface.encode_constructor(*args.values())
        sent = self._send(Call(self.network.chain_id, None, data), f"deploy:{name}:{_short_hash(data)}", name)
        address = str(get_create_address(HexAddress(HexStr(sent.sender)), Nonce(sent.nonce or 0)))
        verdict = code_state(self.network, artefact, address, args)
        if verdict.state != CodeState.SAME:
            raise DeploymentError(f"{name} was deployed at {address}, but: {verdict.detail}")
        with transaction.atomic():
            Deployment.objects.get_or_create(
                network=self.network.slug,
                contract=name,
                defaults={
                    "address": address,
                    "block_number": sent.block_number,
                    "transaction_hash": sent.transaction_hash,
                    "args": [[key, str(value) if isinstance(value, int) else value] for key, value in args.items()],
                },
            )
        self._report(_sent_step(f"{name} deployed, code verified", sent, address))
        return Contract(self.network, address, artefact)

    def _deploy_known(self, name: str) -> Contract:
        """A contract that has the same address everywhere, and that somebody else may have put there."""
        artefact = artefacts.load(name)
        address = create2.address_of(artefact)
        contract = Contract(self.network, address, artefact)
        if Deployment.objects.filter(network=self.network.slug, contract=name).exists():
            self._report(Step(f"{name} is there", address))
            return contract
        sent = None
        if code_state(self.network, artefact, address, {}).state != CodeState.SAME:
            call = Call(self.network.chain_id, create2.DEPLOYER, create2.deployment_data(artefact))
            sent = self._send(call, f"deploy:{name}:{address}", name)
            self._wait_for(lambda: code_state(self.network, artefact, address, {}).state == CodeState.SAME, name)
        # Nothing reads its events from the start, so the block of somebody else's deployment is not looked up.
        block = sent.block_number if sent else int(pool_of(self.network).call("eth_blockNumber"), 16)
        hashed = sent.transaction_hash if sent else None
        values = {"address": address, "block_number": block, "transaction_hash": hashed}
        Deployment.objects.get_or_create(network=self.network.slug, contract=name, defaults=values)
        self._report(_sent_step(f"{name} deployed", sent, address) if sent else Step(f"{name} is there", address))
        return contract

    def _deploy_sponsor(self, sponsor: str) -> Contract:
        """The paymaster, and on a local chain money for it."""
        paymaster = self._deploy(SPONSOR_PAYMASTER, {"owner_": self.roles.deployer, "sponsor_": sponsor})
        entry_point = Contract(
            self.network, create2.address_of(artefacts.load(ENTRY_POINT)), artefacts.load(ENTRY_POINT)
        )
        held = int(entry_point.read("balanceOf", paymaster.address))
        if self.network.is_local and held < LOCAL_SPONSOR_DEPOSIT // 2:
            call = paymaster.call("deposit", value=LOCAL_SPONSOR_DEPOSIT)
            sent = self._send(call, f"fund:{paymaster.address}:{held}", "SponsorPaymaster.deposit")
            self._report(_sent_step("SponsorPaymaster has money for gas", sent))
        return paymaster

    def _wire(self, contract: Contract, getter: str, setter: str, subject: str) -> None:
        """Have `getter(subject)` be true."""
        what = f"{contract.artefact.name}.{setter}({subject}, true)"
        if contract.read(getter, subject):
            self._report(Step(f"{what} is done"))
            return
        self._require_owner(contract, what)
        sent = self._send(contract.call(setter, subject, True), f"wire:{contract.address}:{setter}:{subject}", what)
        self._wait_for(lambda: bool(contract.read(getter, subject)), what)
        self._report(_sent_step(what, sent))

    def _hand_over(self, contract: Contract) -> None:
        what = f"{contract.artefact.name}: ownership offered to {self._owner}"
        if self._owner in (contract.read("owner"), contract.read("pendingOwner")):
            self._report(Step(f"{what} is done"))
            return
        self._require_owner(contract, what)
        call = contract.call("transferOwnership", self._owner)
        sent = self._send(call, f"own:{contract.address}:{self._owner}", what)
        self._report(_sent_step(f"{what}; it must call acceptOwnership", sent))

    def _require_owner(self, contract: Contract, what: str) -> None:
        owner = contract.read("owner")
        if owner != self.roles.deployer:
            raise DeploymentError(
                f"{what} is not done yet and needs {contract.artefact.name}'s owner {owner}. Send it from there."
            )

    def _check_terms(self, escrow: Contract) -> None:
        """What the owner may have changed since, against the settings: told, never changed by itself."""
        expected = {
            "quoteSigner": self.roles.quote_signer,
            "arbiter": self.roles.arbiter,
            "feeRecipient": self.roles.fee_recipient,
            "platformFeeBps": self.roles.fee_bps,
        }
        for getter, wanted in expected.items():
            found = escrow.read(getter)
            if found != wanted:
                self._report(Step(f"NOTE: the escrow's {getter} is {found}, the settings say {wanted}"))

    # ------------------------------------------------------------------ sending

    def _send(self, call: Call, key: str, what: str) -> OutboxTransaction:
        """Send through the outbox and wait, so that a crash in between neither loses nor repeats it."""
        failed = OutboxTransaction.objects.filter(
            network=self.network.slug,
            idempotency_key__startswith=f"{key}#",
            status__in=[Status.FAILED, Status.REVERTED, Status.DISPLACED],
        ).count()
        row = enqueue(self.network, "DEPLOYER_KEY", call, f"{key}#{failed}", what[:64])
        row = self._sender.run_until_closed(row, self._seconds)
        if not self.network.is_local:
            self._wait_for(lambda: self._is_final(row), what)
        if row.status not in (Status.MINED, Status.CONFIRMED) or not row.succeeded:
            raise DeploymentError(f"{what} was not done: {row.detail or 'the transaction reverted'}")
        return row

    def _is_final(self, row: OutboxTransaction) -> bool:
        self._sender.step()
        row.refresh_from_db()
        return row.status not in (Status.SENT, Status.UNKNOWN, Status.MINED)

    def _wait_for(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self._seconds
        while not condition():
            if time.monotonic() > deadline:
                raise IncompleteAnswerError(f"{what} was sent but is not to be seen yet. Run the command again.")
            time.sleep(min(self.network.block_time, 1) / 5)


def constructor_args(row: Deployment) -> dict[str, Any]:
    """The arguments a recorded contract was deployed with, by parameter."""
    types = dict(artefacts.load(row.contract).interface.constructor_inputs)
    return {name: int(value) if types.get(name, "").startswith("uint") else value for name, value in row.args}


def _sent_step(what: str, sent: OutboxTransaction, address: str = "") -> Step:
    return Step(what, address, sent.transaction_hash or "", sent.gas_used, sent.block_number)


def _short_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@contextmanager
def _only_one(network: Network) -> Iterator[None]:
    """One deployment of a network at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [f"deploy:{network.slug}"])
        if not cursor.fetchone()[0]:
            raise DeploymentError(f"Another deployment to {network.name} is running. Wait until it is done.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [f"deploy:{network.slug}"])
