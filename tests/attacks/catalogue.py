"""All attacks, in the order of the table."""

from tests.attacks import files, images, lifecycle, network, output, powers, resources
from tests.attacks.attack import Attack

ALL: tuple[Attack, ...] = (
    *powers.ATTACKS,
    *network.ATTACKS,
    *resources.ATTACKS,
    *output.ATTACKS,
    *lifecycle.ATTACKS,
    *files.ATTACKS,
    *images.ATTACKS,
)
