"""Who may see what of an execution."""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from executions.models import Execution
from wallets.models import User


def may_watch(user: User | AnonymousUser, execution: Execution) -> bool:
    """The person who started it, and staff who may view executions."""
    return Execution.objects.visible_to(user).filter(pk=execution.pk).exists()


def may_read_documents(user: User | AnonymousUser, execution: Execution) -> bool:
    """Input, output and log hold what a buyer sent: its owner's, and staff's only with the permission for it."""
    if not user.is_authenticated:
        return False
    return execution.user_id == user.pk or (user.acts_as_staff and user.has_perm("executions.view_documents"))


def again(user: User) -> User | None:
    """The account as it is now, with the rights as staff that its session gave it; None when it may not be used."""
    current = User.objects.filter(pk=user.pk, is_active=True).first()
    if current is not None:
        current.acts_as_staff = current.is_staff and user.acts_as_staff
    return current


def visible_execution(user: User | AnonymousUser, execution_id: UUID) -> Execution | None:
    """The execution, when it exists and `user` may watch it."""
    return Execution.objects.visible_to(user).with_names().filter(pk=execution_id).first()
