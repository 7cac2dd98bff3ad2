"""How much gas an operation may use."""

from functools import lru_cache

from chain.errors import RpcError
from chain.networks import Network, get_network
from chain.rpc import pool_of
from wallets.models import SmartAccount
from wallets.smart_accounts import keys
from wallets.smart_accounts.bundler import bundlers_of
from wallets.smart_accounts.user_op import UserOp

# Estimates end where the passkey's signature would be checked, because only the right one is checked to the end.
# Measured with OpenZeppelin's P256: 12,000 with the precompile, for two keys 26,000; 290,000 a key in Solidity.
PASSKEY_GAS, PASSKEY_GAS_IN_SOLIDITY = 40_000, 400_000
# What calls use depends on what others do between the estimate and the block.
CALL_MARGIN_NUMERATOR, CALL_MARGIN_DENOMINATOR = 6, 5
_PRECOMPILE = "0x0000000000000000000000000000000000000100"
# sha256("123400") with a signature that is valid for it, from OpenZeppelin's P256.sol.
_VALID = (
    "0xbb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023"
    "0000000000000000000000000000000000000000000000000000000000000005"
    "0000000000000000000000000000000000000000000000000000000000000001"
    "a71af64de5126a4a4e02b7922d66ce9415ce88a4c9d25514d91082c8725ac957"
    "5d47723c8fbe580bb369fec9c2665d8e30a435b9932645482e7c9f11e872296b"
)


def estimated(account: SmartAccount, op: UserOp) -> UserOp:
    """`op` with gas limits from the bundler's simulation. Raises what `Bundlers.estimate` raises."""
    network = get_network(account.network)
    limits = bundlers_of(network).estimate(op)
    verification = limits.verification
    if account.owner_kind == SmartAccount.Owner.PASSKEY:
        # A backup's signature is checked after the first key's was.
        tried = len(keys.owners(account))
        verification += PASSKEY_GAS if has_p256_precompile(network) else PASSKEY_GAS_IN_SOLIDITY * tried
    return op.with_(
        call_gas_limit=limits.call * CALL_MARGIN_NUMERATOR // CALL_MARGIN_DENOMINATOR,
        verification_gas_limit=verification,
        pre_verification_gas=limits.pre_verification,
        paymaster_verification_gas_limit=max(op.paymaster_verification_gas_limit, limits.paymaster_verification)
        if op.paymaster
        else 0,
        paymaster_post_op_gas_limit=limits.paymaster_post_op if op.paymaster else 0,
    )


@lru_cache(maxsize=32)
def has_p256_precompile(network: Network) -> bool:
    """Whether the chain checks P-256 signatures natively (RIP-7212, EIP-7951). Raises RpcUnavailableError."""
    try:
        answer = str(pool_of(network).call("eth_call", {"to": _PRECOMPILE, "data": _VALID}, "latest"))
    except RpcError:
        return False
    return answer not in ("", "0x") and int(answer, 16) == 1
