"""Why a call would revert, in the words of the contract."""

from chain import artefacts
from chain.errors import RpcError
from chain.models import Deployment, OutboxTransaction

_CONTRACTS = (artefacts.ESCROW, artefacts.ENTITLEMENTS, artefacts.TEST_USDC)


def error_name(error: RpcError) -> str:
    """The custom error of one of our contracts, with its values, or the node's own message."""
    data = error.data if isinstance(error.data, str) else ""
    if not data.startswith("0x") or len(data) < 10:
        return error.message
    raw = bytes.fromhex(data[2:])
    for name in _CONTRACTS:
        text = artefacts.load(name).interface.describe_error(raw)
        if not text.startswith("0x"):
            return text
    return f"{error.message} ({data[:74]})"


def revert_reason(error: RpcError, row: OutboxTransaction) -> str:
    """`error_name` with the name of the contract that was called."""
    deployment = Deployment.objects.filter(network=row.network, address=row.to).first() if row.to else None
    where = f"{deployment.contract}: " if deployment else ""
    return f"{where}{error_name(error)}"
