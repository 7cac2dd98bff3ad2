"""Whether the endpoints of a network tell the same story. Each may be honest and still lag, or be on a lost branch."""

from collections import defaultdict

from chain.errors import ChainError
from chain.rpc.pool import Pool

# An endpoint this many blocks behind the best one does not follow the chain.
FAR_BEHIND = 3


def heads(pool: Pool) -> dict[str, int | None]:
    """The head of every endpoint by name; None for one that does not answer."""
    found: dict[str, int | None] = {}
    for number, endpoint in enumerate(pool.endpoints):
        try:
            head: int | None = int(endpoint.call("eth_blockNumber"), 16)
        except (ChainError, TypeError, ValueError):
            head = None
        found[f"{endpoint.name}#{number}"] = head
    return found


def set_laggards_aside(pool: Pool) -> list[str]:
    """Have the pool ask first those endpoints that are near the best head; the names of those set aside."""
    found = list(heads(pool).items())
    best = max((head for _, head in found if head is not None), default=None)
    if best is None:
        return []
    late = [index for index, (_, head) in enumerate(found) if head is None or best - head >= FAR_BEHIND]
    if len(late) < len(found):
        pool.set_aside(late)
    return [found[index][0] for index in late]


def disagreement(pool: Pool, depth: int) -> str:
    """A sentence on which endpoints differ about a block `depth` below the lowest head; "" when none does."""
    known = [head for head in heads(pool).values() if head is not None]
    if len(known) < 2:
        return ""
    number = max(0, min(known) - depth)
    groups: dict[str, list[str]] = defaultdict(list)
    for endpoint in pool.endpoints:
        try:
            block = endpoint.call("eth_getBlockByNumber", hex(number), False)
        except ChainError:
            continue
        if isinstance(block, dict):
            groups[str(block.get("hash"))].append(endpoint.name)
    if len(groups) < 2:
        return ""
    sides = "; ".join(f"{', '.join(names)} say {block_hash[:12]}" for block_hash, names in groups.items())
    return (
        f"The RPC endpoints of {pool.network.name} disagree about block {number}: {sides}. "
        "Find out which of them is wrong and take it out of the settings."
    )
