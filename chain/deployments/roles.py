"""Which address has which role in the contracts, from the settings."""

from dataclasses import dataclass

from django.conf import settings
from web3 import Web3

from chain.errors import DeploymentError
from chain.keys import get_signer
from chain.networks import Network


@dataclass(frozen=True, slots=True)
class Roles:
    """Addresses and terms that a deployment is made with. Periods in seconds, the fee in basis points.

    `sponsor` is empty where the platform pays nobody's gas.
    """

    deployer: str
    quote_signer: str
    arbiter: str
    granter: str
    fee_recipient: str
    fee_bps: int
    dispute_window: int
    hold_period: int
    sponsor: str = ""


def roles_for(network: Network) -> Roles:
    """The roles on `network`. Raises MissingKeyError, and DeploymentError when the fees would go nowhere safe."""
    deployer = get_signer("DEPLOYER_KEY", network).address
    recipient = settings.FEE_RECIPIENT or (deployer if network.is_local else "")
    if not recipient:
        raise DeploymentError(f"Set FEE_RECIPIENT to the address that receives the fees on {network.name}.")
    if not Web3.is_checksum_address(recipient):
        raise DeploymentError("FEE_RECIPIENT is not a checksummed address. Copy it again.")
    return Roles(
        deployer=deployer,
        quote_signer=get_signer("QUOTE_SIGNER_KEY", network).address,
        arbiter=get_signer("ARBITER_KEY", network).address,
        granter=get_signer("GRANT_KEY", network).address,
        fee_recipient=recipient,
        fee_bps=settings.PLATFORM_FEE_BPS,
        dispute_window=settings.DISPUTE_WINDOW_SECONDS,
        hold_period=settings.HOLD_PERIOD_SECONDS,
        sponsor=get_signer("SPONSOR_KEY", network).address if settings.KEYS.get("SPONSOR_KEY") else "",
    )
