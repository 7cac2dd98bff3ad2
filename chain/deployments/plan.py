"""What a deployment would do, without doing it."""

from collections.abc import Iterator

from chain import artefacts
from chain.artefacts import ACCOUNT_FACTORY, ENTITLEMENTS, ENTRY_POINT, ESCROW, SPONSOR_PAYMASTER, TEST_USDC
from chain.deployments.deploy import constructor_args
from chain.deployments.roles import roles_for
from chain.deployments.verify import CodeState, code_state
from chain.models import Deployment
from chain.networks import Network
from chain.rpc import pool_of
from chain.tokens import format_units


def plan(network: Network) -> Iterator[str]:
    """Sentences on what `Deployer.run` would do. Raises what `roles_for` and the node raise."""
    roles = roles_for(network)
    pool = pool_of(network)
    balance = int(pool.call("eth_getBalance", roles.deployer, "latest"), 16)
    yield f"{network.name} (chain id {int(pool.call('eth_chainId'), 16)}), nothing is sent:"
    yield f"  deployer {roles.deployer} has {format_units(balance, 18)} {network.native_symbol}"
    yield f"  quote signer {roles.quote_signer}, arbiter {roles.arbiter}, grants by {roles.granter}"
    yield f"  fees of {roles.fee_bps / 100:.2f} % go to {roles.fee_recipient}"
    yield f"  dispute window {roles.dispute_window} s, then hold period {roles.hold_period} s"
    for name in (ENTITLEMENTS, TEST_USDC, ESCROW, ENTRY_POINT, ACCOUNT_FACTORY, SPONSOR_PAYMASTER):
        if name == TEST_USDC and (network.usdc or not network.is_local):
            continue
        if name == SPONSOR_PAYMASTER and not roles.sponsor:
            continue
        row = Deployment.objects.filter(network=network.slug, contract=name).first()
        if row is None:
            size = len(artefacts.load(name).runtime_code)
            yield f"  would deploy {name} ({size:,} bytes)"
            continue
        verdict = code_state(network, artefacts.load(name), row.address, constructor_args(row))
        state = "verified" if verdict.state == CodeState.SAME else f"NOT AS RECORDED: {verdict.detail}"
        yield f"  {name} at {row.address}: {state}"
