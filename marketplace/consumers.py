"""Live purchases over WebSocket."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from rest_framework.renderers import JSONRenderer

from marketplace.purchases.api.serializers import PurchaseSerializer
from marketplace.purchases.notices import group_of
from marketplace.purchases.parties import visible_to
from wallets.models import User

CLOSE_UNAUTHENTICATED = 4401
CLOSE_FORBIDDEN = 4403
# UUIDs and times as in the HTTP API.
JSON = JSONRenderer()


class PurchaseConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """`/ws/purchases/<id>/`: `{"type": "purchase", "purchase": {...}}` at once and after every change, to those who may
    read its papers."""

    async def connect(self) -> None:
        self.group: str | None = None
        # Accepted first: browsers show a close code only of a socket that was open.
        await self.accept()
        user = self.scope["user"]
        if not isinstance(user, User):
            await self.close(CLOSE_UNAUTHENTICATED)
            return
        purchase_id = self.scope["url_route"]["kwargs"]["purchase_id"]
        # Joined before reading, so that no change falls between what is read and what is announced.
        self.group = group_of(purchase_id)
        await self.channel_layer.group_add(self.group, self.channel_name)
        if not await self._send_purchase():
            await self.close(CLOSE_FORBIDDEN)

    async def disconnect(self, code: int) -> None:
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Clients have nothing to say here."""

    async def purchase_changed(self, message: dict[str, Any]) -> None:
        """A change was committed: send the purchase as it is now."""
        await self._send_purchase()

    async def _send_purchase(self) -> bool:
        shown = await self._read(self.scope["user"], self.scope["url_route"]["kwargs"]["purchase_id"])
        if shown is None:
            return False
        await self.send(text_data=JSON.render({"type": "purchase", "purchase": shown}).decode())
        return True

    @staticmethod
    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _read(user: User, purchase_id: Any) -> dict[str, Any] | None:
        purchase = visible_to(user).select_related("agent").filter(pk=purchase_id).first()
        return None if purchase is None else dict(PurchaseSerializer(purchase, context={}).data)
