"""How soon a user operation is in a block, from the owner's click: part of bench_wallets.

On blocks of 2 seconds, through the API and a real bundler. The baseline is a plain transaction of a key on that chain
just before: the least that anybody waits.
"""

import statistics
import time
from pathlib import Path

from deploy.local.engines import Alto, Anvil

OPERATIONS = 8
BLOCK_SECONDS = 2
# A bundler that just missed a block's making waits for the next one.
GOAL_SECONDS = 2 * BLOCK_SECONDS
POLL_SECONDS = 0.1


def measure(folder: Path, anvil: Anvil, bundler_port: int) -> None:
    """Deploy, start the bundler that the settings name, and print one figure."""
    from chain.deployments import Deployer
    from chain.networks import default_network

    Deployer(default_network(), lambda _: None).run()
    bundler = Alto(folder, anvil.url, bundler_port)
    bundler.start()
    try:
        anvil.mine_every(BLOCK_SECONDS)
        plain = statistics.median(_transaction() for _ in range(OPERATIONS))
        by_operation = statistics.median(_operations())
    finally:
        bundler.stop()
    ratio = by_operation / plain
    verdict = "ok" if by_operation <= GOAL_SECONDS else "short"
    print(  # noqa: T201  a benchmark's output
        f"figure user_operation_click_to_included {by_operation:.2f} s baseline {plain:.2f} ratio {ratio:.2f} "
        f"goal {GOAL_SECONDS} {verdict}"
    )


def _operations() -> list[float]:
    """Seconds of each operation: of one account, the first of which deploys it."""
    from rest_framework.test import APIClient

    from tests.account_fixtures import access_token, user_with_wallet
    from tests.wallets.smart_accounts.helpers import account_of, send_ether, signed
    from wallets.smart_accounts import operations

    user = user_with_wallet()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(user)}")
    account = account_of(user)
    found = []
    for number in range(OPERATIONS):
        operation = operations.build(account, [send_ether(number + 1)], sponsored=False)
        signature = signed(user.account, operation)  # type: ignore[attr-defined]
        began = time.perf_counter()
        path = f"/api/v1/user-operations/{operation.pk}"
        status = client.post(f"{path}/submit", {"signature": signature}).json()["status"]
        while status != "included":
            if time.perf_counter() - began > 30 or status in ("failed", "dropped"):
                raise SystemExit(f"The operation is {status}.")
            time.sleep(POLL_SECONDS)
            status = client.get(path).json()["status"]
        found.append(time.perf_counter() - began)
    return found


def _transaction() -> float:
    """Seconds from handing over a signed transaction to its receipt."""
    from eth_account import Account

    from chain.networks import default_network
    from chain.rpc import pool_of
    from tests.wallets.smart_accounts.helpers import NOBODY, give

    pool, sender = pool_of(default_network()), Account.create()
    give(sender.address, 10**18)
    fields: dict[str, int | str] = {"to": NOBODY, "value": 1, "gas": 21_000, "nonce": 0}
    fields |= {"chainId": default_network().chain_id, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
    raw = "0x" + bytes(sender.sign_transaction(fields).raw_transaction).hex()
    began = time.perf_counter()
    sent = pool.call("eth_sendRawTransaction", raw)
    while pool.call("eth_getTransactionReceipt", sent) is None:
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - began
