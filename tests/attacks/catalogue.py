"""All attacks, in the order of the table."""

from tests.attacks import output, powers
from tests.attacks.attack import Attack

ALL: tuple[Attack, ...] = (*powers.ATTACKS, *output.ATTACKS)
