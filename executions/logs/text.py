"""Making hostile text harmless to look at: in a page, a terminal, a file."""

import re

# Terminal sequences: OSC and other strings with their end, CSI, then any other escape. What is inside a string cannot
# begin another one, so the cost stays linear whatever is written.
_SEQUENCES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x9c|\x1b\\)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]"
)
# C0 and C1 control characters except tab, and the marks that turn the direction of text around.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SUSPECT = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def neutralise(text: str) -> str:
    """`text` without terminal sequences; other control characters become U+FFFD. Only what follows the last carriage
    return is kept, as a terminal would show a progress bar."""
    if not _SUSPECT.search(text):
        return text
    kept = _SEQUENCES.sub("", text)
    parts = [part for part in kept.split("\r") if part]
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", parts[-1] if parts else "")


def plain(text: str) -> str:
    """Text with its line breaks but without control characters."""
    return "\n".join(neutralise(line) for line in text.replace("\r\n", "\n").split("\n"))
