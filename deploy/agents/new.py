"""Begin a new agent from a template: `python3 -m deploy.agents.new my-agent [--kind wasm]`."""

import argparse
import keyword
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

if not __package__:  # started as a script
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.agents.images.manifests import SLUG

AGENTS = Path(__file__).resolve().parent
PYTHON = AGENTS / "template" / "my_agent"
WASM = AGENTS / "template" / "wasm"
SAMPLE = AGENTS / "json_patch"
LONGEST = 50


class NewAgentError(Exception):
    """The agent was not begun. The message says why."""


def create(slug: str, folder: Path = AGENTS, kind: str = "python") -> Path:
    """Copy the template of that kind below `folder` under the name `slug`, and return the new folder.

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
    names = {"my_agent": package, "my-agent": slug, "My Agent": re.sub(r"[-_]", " ", slug).title(), "json-patch": slug}
    try:
        for place, source in sorted(_files(kind)):
            copy = target / _renamed(str(place), names)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(_renamed(source.read_text(encoding="utf-8"), names), encoding="utf-8")
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target


def _files(kind: str) -> Iterator[tuple[Path, Path]]:
    """The place in the new folder, and the source, of each file. A module shares its manifest with the template in
    Python, and what reads JSON and builds it with the sample."""
    template = WASM if kind == "wasm" else PYTHON
    for path in template.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(template), path
    if kind == "wasm":
        yield Path("agent.json"), PYTHON / "agent.json"
        for name in ("package.json", "package-lock.json", "assembly/json.ts", "assembly/wasi.ts"):
            yield Path(name), SAMPLE / name


def _renamed(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, names)), lambda match: names[match[0]], text)


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="new", description="Begin a new agent from the template.")
    parser.add_argument("name", help="such as my-agent")
    parser.add_argument("--kind", choices=["python", "wasm"], default="python", help="python, or wasm (AssemblyScript)")
    options = parser.parse_args(arguments)
    try:
        target = create(options.name, kind=options.kind)
    except (NewAgentError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{target} is there. Try it:")
    if options.kind == "wasm":
        print(f"  cd deploy/agents/{target.name} && npm ci && npm run build")
        print("  PYTHONPATH=../sdk python3 -m agentnexus_agent.local run")
        print("Then say in agent.json what it takes and gives.")
        return 0
    print("  cd deploy/agents")
    print(f"""  echo '{{"text": "The quick brown fox"}}' | PYTHONPATH=sdk:. python3 -m {target.name}.agent""")
    print(f"Then say in {target.name}/agent.json what it takes and gives, and build its image:")
    print("  python3 -m deploy.agents.build")
    return 0


if __name__ == "__main__":
    sys.exit(main())
