"""How many blocks to ask for at once: as many as the node takes and a transaction should hold."""

SMALLEST, LARGEST, FIRST = 1, 5_000, 500
MANY_LOGS, FEW_LOGS = 4_000, 1_000


class Window:
    """A number of blocks that adapts to the answers."""

    __slots__ = ("_ceiling", "size")

    def __init__(self) -> None:
        self.size = FIRST
        self._ceiling = LARGEST

    def refused(self, asked: int) -> None:
        """The node found `asked` blocks too many: halve, and do not come back up to that for now."""
        self._ceiling = max(SMALLEST, asked - 1)
        self.size = max(SMALLEST, asked // 2)

    def answered(self, logs: int) -> None:
        """The range was read and held this many logs."""
        if logs > MANY_LOGS:
            self.size = max(SMALLEST, self.size // 2 if logs <= 4 * MANY_LOGS else self.size * MANY_LOGS // logs)
        elif logs < FEW_LOGS:
            self.size = min(self._ceiling, self.size * 2)
            # A refusal is not for ever: another node may answer next.
            self._ceiling = min(LARGEST, self._ceiling + max(1, self._ceiling // 8))
