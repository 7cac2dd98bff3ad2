"""Build the agent base image and every sample agent: `python3 -m deploy.agents.build`.

An image is rebuilt only when what it is made from has changed, so a call with nothing to do takes well under 2 s.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if not __package__:  # started as a script
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.agents.images import base
from deploy.agents.images.contexts import read_context
from deploy.agents.images.engine import CONTENT_LABEL, Engine, Image
from deploy.agents.images.errors import ImageBuildError
from deploy.agents.images.lock import one_at_a_time
from deploy.agents.images.manifests import Source, read_sources

NAMESPACE = "agentnexus"
PARALLEL_BUILDS = 2

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuiltAgent:
    """A sample agent that can be published: `image` is `agentnexus/<slug>@sha256:<image id>` in the engine, or `module`
    the path of a WebAssembly module."""

    slug: str
    image: str
    manifest: dict[str, Any]
    module: str = ""


def build_all(report: Report = print, refresh: bool = False, folder: Path = base.AGENTS) -> list[BuiltAgent]:
    """Build what is missing, and return every sample agent in the order of their slugs.

    `report` gets one line per image. With `refresh` everything is built anew. Raises ImageBuildError with a sentence
    that says what to do.
    """
    sources = [source for source in read_sources(folder) if source.module is None]
    engine = Engine.connect()
    with one_at_a_time():
        started = time.monotonic()
        foundation = base.ensure(engine, refresh)
        engine.tag(foundation.image, base.REPOSITORY, "latest")
        report(_line(base.REPOSITORY, foundation.image, foundation.fresh, started, f"Python from {foundation.origin}"))
        with ThreadPoolExecutor(PARALLEL_BUILDS) as pool:
            tasks = [pool.submit(_build, engine, source, foundation, refresh, report) for source in sources]
            built = [task.result() for task in tasks]
    return sorted([*built, *modules(folder)], key=lambda agent: agent.slug)


def modules(folder: Path = base.AGENTS) -> list[BuiltAgent]:
    """The agents that are WebAssembly modules: they are committed, and need neither an engine nor a build."""
    return [
        BuiltAgent(source.slug, "", source.manifest, str(source.module))
        for source in read_sources(folder)
        if source.module is not None
    ]


def _build(engine: Engine, source: Source, foundation: base.Base, refresh: bool, report: Report) -> BuiltAgent:
    started = time.monotonic()
    repository = f"{NAMESPACE}/{source.slug}"
    if not (source.folder / "Dockerfile").is_file():
        raise ImageBuildError(
            f"{source.folder.name} has neither a Dockerfile nor an agent.wasm. Build its module in its folder with: "
            "npm ci && npm run build"
        )
    context = read_context(source.folder)
    content = context.digest(foundation.content, source.slug)
    # The tag with the content's hash stays when a later build takes `latest`: a version of the agent that was
    # published with the earlier image must go on running.
    name = f"{repository}:{content[:12]}"
    image = None if refresh else engine.find_built(name, content)
    fresh = image is None
    if image is None:
        labels = {CONTENT_LABEL: content, "io.agentnexus.agent": source.slug}
        image = engine.build(context, name, {"BASE_IMAGE": foundation.name}, labels, refresh)
    engine.tag(image, repository, "latest")
    report(_line(repository, image, fresh, started))
    return BuiltAgent(source.slug, f"{repository}@{image.id}", source.manifest)


def _line(repository: str, image: Image, fresh: bool, started: float, note: str = "") -> str:
    state = "built" if fresh else "up to date"
    seconds = time.monotonic() - started
    return f"{repository:<40} {state:<11}{seconds:6.2f} s  {image.size / 1e6:4.0f} MB  {note}".rstrip()


def _write(path: Path, agents: list[BuiltAgent]) -> None:
    """Write what was built as a JSON list of objects with slug, image and manifest."""
    text = json.dumps([asdict(one) for one in agents], ensure_ascii=False, indent=2) + "\n"
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="build", description="Build the agent base image and the sample agents.")
    parser.add_argument("--refresh", action="store_true", help="build everything anew, and try the registry again")
    parser.add_argument("--only-modules", action="store_true", help="only those that need no Docker engine")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write slug, image and manifest of each agent to FILE"
    )
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        if options.only_modules:
            agents = modules()
        else:
            agents = build_all(report=lambda line: print(line, flush=True), refresh=options.refresh)
        if options.json is not None:
            _write(options.json, agents)
    except (ImageBuildError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(agents)} sample agents ready in {time.monotonic() - started:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
