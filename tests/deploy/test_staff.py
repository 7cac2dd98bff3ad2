"""The account for looking around the local administration."""

import json
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from deploy.local import staff
from tests import second_factor
from wallets.models import User


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_code_is_that_of_rfc_6238(moment: int, code: str) -> None:
    """Appendix B; the last six of its eight digits."""
    assert staff.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", moment) == code


@pytest.mark.django_db
def test_the_account_opens_the_administration_with_what_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given an account made twice, as two starts do
    file = tmp_path / staff.FILE
    call_command("local_staff", file)
    call_command("local_staff", file)
    # when somebody types what `make staff` prints
    assert staff.main(tmp_path) == 0
    email, password, code = (line.split()[1] for line in capsys.readouterr().out.splitlines())
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": password})
    client.post(reverse("mfa_authenticate"), {"code": code})
    # then they are in, and nobody else may read the file
    assert client.get("/admin/").status_code == 200
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert code == second_factor.code(json.loads(file.read_text())["secret"])
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_there_is_no_such_account_elsewhere_than_on_a_local_chain(tmp_path: Path, settings: Settings) -> None:
    settings.NETWORKS = {"base": {**settings.NETWORKS["base"], "rpc_urls": ["http://127.0.0.1:9"]}}
    settings.DEFAULT_NETWORK = "base"
    with pytest.raises(CommandError):
        call_command("local_staff", tmp_path / staff.FILE)
    assert not User.objects.exists()


def test_before_the_first_start_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert staff.main(tmp_path) == 1
    assert "make up" in capsys.readouterr().err
