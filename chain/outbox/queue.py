"""Writing down that a transaction is wanted."""

from chain.calls import Call
from chain.keys import get_signer
from chain.models import OutboxTransaction
from chain.networks import Network


def enqueue(
    network: Network,
    key_name: str,
    call: Call,
    idempotency_key: str,
    purpose: str,
    most_gas: int | None = None,
    sender: str | None = None,
) -> OutboxTransaction:
    """Have `call` sent on `network` by the key `key_name` (see chain.keys), once per `idempotency_key`.

    With `sender`, the key's address, the key itself need not be known here, only where the outbox is driven. With
    `most_gas` it fails, unsent, when it would need more gas than that: for calls that reach code of strangers.
    Part of the caller's database transaction: when that is rolled back, nothing is sent. The same key again gives the
    row that is there, whatever became of it. Raises MissingKeyError, and ValueError when the row that is there is
    another call: then the key was not a key.
    """
    if call.chain_id != network.chain_id:
        raise ValueError(f"the call is for chain {call.chain_id}, not {network.chain_id}")
    row, created = OutboxTransaction.objects.get_or_create(
        network=network.slug,
        idempotency_key=idempotency_key,
        defaults={
            "key_name": key_name,
            "sender": sender or get_signer(key_name, network).address,
            "purpose": purpose,
            "to": call.to,
            "data": call.data,
            "value": call.value,
            "most_gas": most_gas,
        },
    )
    if not created and (row.to, bytes(row.data), row.value) != (call.to, call.data, call.value):
        raise ValueError(f"the idempotency key {idempotency_key!r} belongs to another call")
    return row
