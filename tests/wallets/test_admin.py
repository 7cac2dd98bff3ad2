"""Users in the admin: lists, search by address, suspension with a reason, and what staff may not do."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from tests.account_fixtures import user_with_wallet
from tests.factories.wallets import StaffFactory
from wallets.credentials import tokens
from wallets.errors import TokenError
from wallets.models import User

pytestmark = pytest.mark.django_db
LIST = "/admin/wallets/user/"


@pytest.fixture
def admin(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def moderator() -> Client:
    """A member of staff who may see and change users, and is no administrator."""
    user = User.objects.create_user("moderator@example.org", "correct-horse-battery", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, **query: str) -> list[User]:
    response = client.get(LIST, query)
    assert response.status_code == 200
    return list(response.context["cl"].queryset)


def test_the_list_shows_users_with_their_wallet(admin: Client, user: User) -> None:
    page = admin.get(LIST).content.decode()
    assert str(user.primary_address) in page
    assert user.shown_name in page


def test_users_are_found_by_address_beginning_of_address_and_e_mail(
    admin: Client, user: User, stranger: User, staff: User
) -> None:
    address = str(user.primary_address)
    assert shown(admin, q=address) == [user]
    assert shown(admin, q=address.lower()) == [user]
    assert shown(admin, q=address[:14]) == [user]
    assert shown(admin, q=str(staff.email)) == [staff]
    assert shown(admin, q="0x" + "0" * 40) == []
    assert shown(admin, q="0x%") == []


def test_the_list_filters_by_suspension(admin: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_suspended=True)
    assert shown(admin, is_suspended__exact="1") == [user]


def test_the_page_of_a_user_shows_wallets_and_cannot_edit_them(admin: Client, user: User) -> None:
    page = admin.get(f"{LIST}{user.pk}/change/")
    assert page.status_code == 200
    assert str(user.primary_address) in page.content.decode()
    names = [name for formset in page.context["inline_admin_formsets"] for name in formset.formset.form.base_fields]
    assert "address" not in names


def test_suspending_asks_for_the_reason_then_signs_out_everywhere_and_is_recorded(
    admin: Client, user: User, staff: User
) -> None:
    # given a user with a token
    pair = tokens.issue(user)
    # when an administrator chooses the action, then the reason is asked for and nothing happened yet
    asked = admin.post(LIST, {"action": "suspend_users", "_selected_action": [str(user.pk)]})
    assert "Reason, shown to the user" in asked.content.decode()
    assert tokens.authenticate(pair.access).user == user
    # when the reason is given
    done = admin.post(LIST, {"action": "suspend_users", "_selected_action": [str(user.pk)], "reason": "Stolen images."})
    # then it holds at once, and is written down
    assert done.status_code == 302
    user.refresh_from_db()
    assert (user.is_suspended, user.suspended_reason) == (True, "Stolen images.")
    with pytest.raises(TokenError):
        tokens.authenticate(pair.access)
    entry = LogEntry.objects.get(object_id=str(user.pk))
    assert (entry.user, entry.change_message) == (staff, "Suspended: Stolen images.")


def test_a_users_own_page_suspends_after_a_reason_and_lets_back_in(admin: Client, user: User, staff: User) -> None:
    # given the page of a user
    where = f"{LIST}{user.pk}/change/"
    button = f"{LIST}{user.pk}/suspension/"
    assert button in admin.get(where).content.decode()
    # when the button is pressed, then the reason is asked for first
    assert "Reason, shown to the user" in admin.get(button).content.decode()
    done = admin.post(button, {"reason": "Stolen images.", "action": "suspend_users"})
    user.refresh_from_db()
    assert (done.status_code, done["Location"]) == (302, where)
    assert (user.is_suspended, user.suspended_reason) == (True, "Stolen images.")
    # and the same button lets the user back in; both are in the history
    admin.get(button)
    user.refresh_from_db()
    assert user.is_suspended is False
    entries = LogEntry.objects.filter(object_id=str(user.pk)).order_by("pk")
    assert [entry.change_message for entry in entries] == ["Suspended: Stolen images.", "Suspension lifted"]


def test_who_may_only_look_does_not_suspend(user: User) -> None:
    viewer = User.objects.create_user("viewer@example.org", "correct-horse-battery", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client = Client()
    client.force_login(viewer)
    client.post(f"{LIST}{user.pk}/suspension/", {"reason": "x"})
    user.refresh_from_db()
    assert user.is_suspended is False


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_suspension_without_a_fit_reason_is_asked_for_again(reason: str, admin: Client, user: User) -> None:
    response = admin.post(LIST, {"action": "suspend_users", "_selected_action": [str(user.pk)], "reason": reason})
    assert response.status_code == 200
    user.refresh_from_db()
    assert user.is_suspended is False


def test_lifting_a_suspension_is_recorded(admin: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_suspended=True, suspended_reason="x")
    admin.post(LIST, {"action": "unsuspend_users", "_selected_action": [str(user.pk)]})
    user.refresh_from_db()
    assert (user.is_suspended, user.suspended_reason, user.suspended_at) == (False, "", None)
    assert LogEntry.objects.get(object_id=str(user.pk)).change_message == "Suspension lifted"


def test_an_administrator_does_not_suspend_himself(admin: Client, staff: User) -> None:
    admin.post(LIST, {"action": "suspend_users", "_selected_action": [str(staff.pk)], "reason": "Oops."})
    staff.refresh_from_db()
    assert staff.is_suspended is False


def test_a_moderator_suspends_users_but_no_administrator(moderator: Client, user: User) -> None:
    boss = StaffFactory.create()
    chosen = [str(user.pk), str(boss.pk)]
    moderator.post(LIST, {"action": "suspend_users", "_selected_action": chosen, "reason": "Spam."})
    user.refresh_from_db()
    boss.refresh_from_db()
    assert (user.is_suspended, boss.is_suspended) == (True, False)


def test_a_moderator_gives_nobody_rights(moderator: Client, user: User) -> None:
    form = moderator.get(f"{LIST}{user.pk}/change/").context["adminform"].form
    assert not {"is_staff", "is_superuser", "groups", "user_permissions"} & set(form.fields)
    moderator.post(f"{LIST}{user.pk}/change/", {"display_name": "x", "is_staff": "on", "is_superuser": "on"})
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_a_moderator_does_not_change_an_administrators_password(moderator: Client) -> None:
    boss = StaffFactory.create()
    response = moderator.post(f"{LIST}{boss.pk}/password/", {"password1": "new-pass-123", "password2": "new-pass-123"})
    assert response.status_code == 403
    boss.refresh_from_db()
    assert boss.check_password("correct-horse-battery")


def test_nobody_deletes_users(admin: Client, user: User) -> None:
    assert admin.get(f"{LIST}{user.pk}/delete/").status_code == 403
    admin.post(LIST, {"action": "delete_selected", "_selected_action": [str(user.pk)], "post": "yes"})
    assert User.objects.filter(pk=user.pk).exists()


def test_an_administrator_makes_a_staff_account(admin: Client) -> None:
    response = admin.post(
        f"{LIST}add/",
        {
            "email": "New@Example.org",
            "usable_password": "true",
            "password1": "correct-horse-battery",
            "password2": "correct-horse-battery",
        },
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    made = User.objects.get(email="new@example.org")
    assert made.check_password("correct-horse-battery")


def test_a_staff_account_needs_an_e_mail(admin: Client) -> None:
    body = {"usable_password": "true", "password1": "correct-horse-battery", "password2": "correct-horse-battery"}
    response = admin.post(f"{LIST}add/", body)
    assert "email" in response.context["adminform"].form.errors


def test_the_list_costs_the_same_number_of_queries_however_long(
    admin: Client, django_assert_max_num_queries: object
) -> None:
    for _ in range(12):
        user_with_wallet()
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        admin.get(LIST)


@pytest.mark.parametrize("path", [LIST, "/admin/auth/group/"])
def test_the_anonymous_and_wallet_users_see_nothing(path: str, user: User) -> None:
    client = Client()
    assert client.get(path).status_code == 302
    client.force_login(user)
    assert client.get(path, follow=True).status_code == 403
