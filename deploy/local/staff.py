"""`make staff`: how to enter the administration of the local site, with the code of this moment."""

import base64
import hashlib
import hmac
import json
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.local.engines import ROOT

FILE = "staff.json"
PERIOD = 30  # seconds


@dataclass(frozen=True, slots=True)
class Login:
    """What `manage.py local_staff` wrote into its file."""

    email: str
    password: str
    secret: str


def login(file: Path) -> Login:
    """Read the file."""
    return Login(**json.loads(file.read_text()))


def code(secret: str, moment: float) -> str:
    """The six digits that an authenticator app shows at `moment` (RFC 6238 with SHA-1)."""
    key = base64.b32decode(secret)
    digest = hmac.new(key, struct.pack(">Q", int(moment) // PERIOD), hashlib.sha1).digest()
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def main(data: Path) -> int:
    """Exit code 1 with a sentence when no site was started yet."""
    file = data / FILE
    if not file.exists():
        print("There is no local site yet: run `make up` first.", file=sys.stderr)
        return 1
    kept = login(file)
    print(f"E-mail    {kept.email}\nPassword  {kept.password}\nCode      {code(kept.secret, time.time())}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(ROOT / ".data"))
