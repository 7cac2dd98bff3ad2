"""Who is who in a purchase, and what that lets them see."""

from enum import StrEnum

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from marketplace.purchases.models import Purchase
from wallets.models import User


class Party(StrEnum):
    """A person's part in a purchase."""

    BUYER = "buyer"
    CREATOR = "creator"
    STAFF = "staff"


def party_of(user: User | AnonymousUser, purchase: Purchase) -> Party | None:
    """The part of `user`; None for strangers. A creator cannot buy their own agent, so there is one at most, and staff
    who buy are buyers."""
    if not isinstance(user, User):
        return None
    if purchase.buyer_id == user.pk:
        return Party.BUYER
    if purchase.agent.creator_id == user.pk:
        return Party.CREATOR
    return Party.STAFF if user.acts_as_staff and user.has_perm("marketplace.view_purchase") else None


def visible_to(user: User | AnonymousUser) -> QuerySet[Purchase]:
    """The purchases whose papers `user` may read: bought, sold, and for staff with the permission all. The creator
    sees what was paid, not who asked for an offer."""
    if not isinstance(user, User):
        return Purchase.objects.none()
    if user.acts_as_staff and user.has_perm("marketplace.view_purchase"):
        return Purchase.objects.all()
    return Purchase.objects.filter(Q(buyer=user) | Q(agent__creator=user, deposited_at__isnull=False))
