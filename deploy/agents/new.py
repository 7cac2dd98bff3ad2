"""Begin a new agent from the template: `python3 -m deploy.agents.new my-agent`."""

import argparse
import keyword
import re
import shutil
import sys
from pathlib import Path

if not __package__:  # started as a script
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.agents.images.manifests import SLUG

AGENTS = Path(__file__).resolve().parent
TEMPLATE = AGENTS / "template" / "my_agent"
LONGEST = 50


class NewAgentError(Exception):
    """The agent was not begun. The message says why."""


def create(slug: str, folder: Path = AGENTS) -> Path:
    """Copy the template below `folder` under the name `slug`, and return the new folder.

    Raises NewAgentError for a name that cannot be an agent's, and where there is one already.
    """
    package = slug.replace("-", "_")
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST:
        raise NewAgentError(
            f"{slug!r} cannot be a name: use lower-case letters, digits and single hyphens, as in my-agent."
        )
    if not package.isidentifier() or keyword.iskeyword(package):
        raise NewAgentError(f"{slug!r} cannot be a name: begin it with a letter, and take no word of Python.")
    target = folder / package
    if target.exists():
        raise NewAgentError(f"{target} exists already.")
    names = {"my_agent": package, "my-agent": slug, "My Agent": re.sub(r"[-_]", " ", slug).title()}
    try:
        for source in sorted(
            path for path in TEMPLATE.rglob("*") if path.is_file() and "__pycache__" not in path.parts
        ):
            copy = target / _renamed(str(source.relative_to(TEMPLATE)), names)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(_renamed(source.read_text(encoding="utf-8"), names), encoding="utf-8")
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target


def _renamed(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, names)), lambda match: names[match[0]], text)


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="new", description="Begin a new agent from the template.")
    parser.add_argument("name", help="such as my-agent")
    try:
        target = create(parser.parse_args(arguments).name)
    except (NewAgentError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{target} is there. Try it:")
    print("  cd deploy/agents")
    print(f"""  echo '{{"text": "The quick brown fox"}}' | PYTHONPATH=sdk:. python3 -m {target.name}.agent""")
    print(f"Then say in {target.name}/agent.json what it takes and gives, and build its image:")
    print("  python3 -m deploy.agents.build")
    return 0


if __name__ == "__main__":
    sys.exit(main())
