"""Socket handshakes: origin, who one is, and the end of a sign-in closing what was opened with it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.db import connections

from tests.account_fixtures import user_with_wallet
from tests.factories.wallets import LinkedWalletFactory
from tests.wallets.sign_in import LOGOUT, Browser
from wallets.credentials import tokens
from wallets.models import TokenFamily, User
from wallets.signin import linked, presence, suspension
from wallets.signin.websocket import JwtOrSessionAuthMiddleware, SocketOriginValidator

ORIGIN = (b"origin", b"http://localhost:8000")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _close_connections() -> AsyncIterator[None]:
    """The database connection of the thread in which asynchronous code does its queries."""
    yield
    await sync_to_async(connections.close_all)()


class Echo(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Says who is connected, then repeats what it is told."""

    async def connect(self) -> None:
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(4401)
            return
        await self.accept()
        await self.send_json({"user": str(user.pk)})

    async def receive_json(self, content: Any, **_: Any) -> None:
        await self.send_json(content)


application = SocketOriginValidator(
    JwtOrSessionAuthMiddleware(Echo.as_asgi()), ["http://localhost:8000", "http://127.0.0.1:8000"]
)


def socket(*headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
    return WebsocketCommunicator(application, "/", headers=list(headers))


def bearer(token: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {token}".encode()


def cookie(browser: Browser) -> tuple[bytes, bytes]:
    return b"cookie", f"sessionid={browser.client.cookies['sessionid'].value}".encode()


async def signed_in_browser() -> Browser:
    browser = Browser()
    await sync_to_async(browser.sign_in)()
    return browser


async def user_and_token() -> tuple[User, str]:
    user = await sync_to_async(user_with_wallet)()
    return user, (await sync_to_async(tokens.issue)(user)).access


async def opened(*headers: tuple[bytes, bytes]) -> tuple[WebsocketCommunicator, str]:
    """A socket that was let in, and the user it was greeted as."""
    client = socket(*headers)
    connected, _ = await client.connect()
    assert connected
    return client, (await client.receive_json_from())["user"]


async def refused(*headers: tuple[bytes, bytes]) -> int:
    """The code with which a handshake is turned down (1000: by the origin check, before anybody was asked for)."""
    client = socket(*headers)
    connected, code = await client.connect()
    assert not connected
    await client.disconnect()  # as a server does after turning somebody down
    return int(code)


async def closed_with(client: WebsocketCommunicator) -> int:
    message = await client.receive_output(timeout=5)
    assert message["type"] == "websocket.close"
    code: int = message["code"]
    await client.wait(timeout=5)
    return code


async def test_a_browser_enters_with_its_session() -> None:
    browser = await signed_in_browser()
    client, user_id = await opened(ORIGIN, cookie(browser))
    assert user_id == str((await User.objects.aget()).pk)
    await client.send_json_to({"ping": 1})
    assert await client.receive_json_from() == {"ping": 1}
    await client.disconnect()


async def test_a_program_enters_with_its_token_and_without_origin() -> None:
    user, token = await user_and_token()
    client, user_id = await opened(bearer(token))
    assert user_id == str(user.pk)
    await client.disconnect()


async def test_an_allowed_page_may_also_bring_a_token() -> None:
    user, token = await user_and_token()
    client, user_id = await opened(ORIGIN, bearer(token))
    assert user_id == str(user.pk)
    await client.disconnect()


@pytest.mark.parametrize(
    "origin",
    [
        b"https://evil.example",
        b"http://localhost:8001",
        b"https://localhost:8000",
        b"http://localhost:8000.evil.example",
        b"http://evil.example/localhost:8000",
        b"null",
        b"",
    ],
)
async def test_another_origin_is_refused_with_session_and_with_token(origin: bytes) -> None:
    browser = await signed_in_browser()
    _, token = await user_and_token()
    assert await refused((b"origin", origin), cookie(browser)) == 1000
    assert await refused((b"origin", origin), bearer(token)) == 1000


async def test_two_origins_are_refused() -> None:
    browser = await signed_in_browser()
    assert await refused((b"origin", b"https://evil.example"), ORIGIN, cookie(browser)) == 1000


async def test_a_session_without_origin_is_refused() -> None:
    browser = await signed_in_browser()
    assert await refused(cookie(browser)) == 1000


async def test_nobody_is_the_anonymous_user() -> None:
    assert await refused(ORIGIN) == 4401


async def test_a_session_is_not_looked_at_beside_a_token_that_is_refused() -> None:
    browser = await signed_in_browser()
    assert await refused(cookie(browser), bearer("x.y.z")) == 4401
    assert await refused(ORIGIN, cookie(browser), bearer("")) == 4401


async def test_a_refresh_token_opens_no_socket() -> None:
    user = await sync_to_async(user_with_wallet)()
    pair = await sync_to_async(tokens.issue)(user)
    assert await refused(bearer(pair.refresh)) == 4401


async def test_a_suspended_user_opens_no_socket() -> None:
    browser = await signed_in_browser()
    user = await User.objects.aget()
    token = (await sync_to_async(tokens.issue)(user)).access
    await sync_to_async(suspension.suspend)(user, "Spam.")
    assert await refused(ORIGIN, cookie(browser)) == 4401
    assert await refused(bearer(token)) == 4401


async def test_logout_closes_the_sockets_of_that_session_and_no_others() -> None:
    # given one user in two browsers and with a program
    browser = await signed_in_browser()
    other_browser = Browser(browser.account)
    await sync_to_async(other_browser.sign_in)()
    token = (await sync_to_async(tokens.issue)(await User.objects.aget())).access
    first, _ = await opened(ORIGIN, cookie(browser))
    second, _ = await opened(ORIGIN, cookie(other_browser))
    third, _ = await opened(bearer(token))
    # when the first browser logs out
    assert (await sync_to_async(browser.post)(LOGOUT)).status_code == 204
    # then its socket closes, and the others answer
    assert await closed_with(first) == 4401
    for client in (second, third):
        await client.send_json_to({"still": "here"})
        assert await client.receive_json_from() == {"still": "here"}
        await client.disconnect()


async def test_switching_the_wallet_closes_the_sockets_of_the_session_before() -> None:
    browser = await signed_in_browser()
    client, _ = await opened(ORIGIN, cookie(browser))
    browser.account = Browser().account
    await sync_to_async(browser.sign_in)()
    assert await closed_with(client) == 4401


async def test_revoking_a_token_family_closes_its_socket() -> None:
    _, token = await user_and_token()
    client, _ = await opened(bearer(token))
    await sync_to_async(tokens.revoke)(await TokenFamily.objects.select_related("user").aget())
    assert await closed_with(client) == 4401


async def test_suspension_closes_every_socket_of_the_user_and_of_nobody_else() -> None:
    browser = await signed_in_browser()
    user = await User.objects.aget()
    token = (await sync_to_async(tokens.issue)(user)).access
    _, others_token = await user_and_token()
    first, _ = await opened(ORIGIN, cookie(browser))
    second, _ = await opened(bearer(token))
    strangers, _ = await opened(bearer(others_token))
    await sync_to_async(suspension.suspend)(user, "Spam.")
    assert await closed_with(first) == 4401
    assert await closed_with(second) == 4401
    await strangers.send_json_to({"still": "here"})
    assert await strangers.receive_json_from() == {"still": "here"}
    await strangers.disconnect()


async def test_unlinking_a_wallet_closes_the_sockets_of_what_it_had_signed_in() -> None:
    user, other_token = await user_and_token()
    wallet = await sync_to_async(LinkedWalletFactory.create)(user=user)
    token = (await sync_to_async(tokens.issue)(user, address=wallet.address)).access
    client, _ = await opened(bearer(token))
    other, _ = await opened(bearer(other_token))
    await sync_to_async(linked.unlink)(user, wallet.address)
    assert await closed_with(client) == 4401
    await other.send_json_to({"still": "here"})
    assert await other.receive_json_from() == {"still": "here"}
    await other.disconnect()


async def test_a_socket_closes_when_its_token_expires() -> None:
    # given a token that is valid for a second (beside the tolerance for clocks, which a new handshake gets)
    _, token = await user_and_token()
    claims = jwt.decode(token, options={"verify_signature": False})
    short = jwt.encode({**claims, "exp": claims["iat"] + 2}, django_settings.SECRET_KEY, algorithm="HS256")
    client, _ = await opened(bearer(short))
    assert await closed_with(client) == 4401


async def test_a_suspension_during_the_handshake_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a handshake that has identified its user but not yet joined the user's group
    user, token = await user_and_token()
    joined = asyncio.Event()
    layer = get_channel_layer()
    add = type(layer).group_add

    async def slow_add(self: Any, group: str, channel: str) -> None:
        await sync_to_async(suspension.suspend)(user, "Spam.")
        joined.set()
        await add(self, group, channel)

    monkeypatch.setattr(type(layer), "group_add", slow_add)
    # when the user is suspended in between, then nobody gets in
    assert await refused(bearer(token)) == 1000
    assert joined.is_set()


async def test_leaving_takes_the_socket_out_of_the_users_group() -> None:
    user, token = await user_and_token()
    client, _ = await opened(bearer(token))
    await client.disconnect()
    layer = get_channel_layer()
    connection = layer.connection(0)
    members = await connection.zcard(layer._group_key(presence.group_of(user)))
    assert members == 0
