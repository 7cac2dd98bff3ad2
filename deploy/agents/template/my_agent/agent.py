"""My Agent: say here what it does."""

from agentnexus_agent import AgentError, agent, log


def count(text: str, longest: int = 3) -> dict[str, object]:
    """The work itself, as a function that tests can call."""
    words = text.split()
    if not words:
        raise AgentError("The text holds no words.")
    log(f"Read {len(words):,} words")
    lengths: dict[str, int] = {}
    for number, word in enumerate(words, start=1):
        lengths[word] = len(word)
        log.progress(number, len(words), "words measured")
    ordered = sorted(lengths, key=lambda word: (-lengths[word], word))
    return {"words": len(words), "longest": ordered[:longest]}


@agent
def my_agent(text: str, longest: int = 3) -> dict[str, object]:
    """The entry: the parameters are the members of the input schema. Keep it last in the file."""
    return count(text, longest)
