"""The examples in other languages as images. Where no registry can be reached, node:22-slim is stood in for by this
machine's own Node.js with its libraries, and busybox by the agents' base image, which has a shell."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from deploy.agents.images.contexts import read_context
from deploy.agents.images.engine import CONTENT_LABEL, Engine
from tests.executions.images import ensure_base

EXAMPLES = Path(__file__).parents[2] / "deploy" / "agents" / "examples"
NODE_REPOSITORY = "agentnexus/node-standin"


def ensure(language: str) -> str:
    """The example's image as `repository@sha256:<id>`, built when it is not there with this content."""
    engine = Engine.connect()
    base = _node_standin(engine) if language == "node" else ensure_base()
    context = read_context(EXAMPLES / language)
    content = context.digest(base)
    repository = f"agentnexus/example-{language}"
    name = f"{repository}:{content[:12]}"
    image = engine.find_built(name, content)
    if image is None:
        image = engine.build(context, name, {"BASE_IMAGE": base}, {CONTENT_LABEL: content})
    return f"{repository}@{image.id}"


def _node_standin(engine: Engine) -> str:
    files = _node_files()
    described = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    tag = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:12]
    name = f"{NODE_REPOSITORY}:{tag}"
    if engine.find(name) is None:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "root.tar"
            with tarfile.open(archive, "w") as tar:
                for path in files:
                    tar.add(path.resolve(), arcname=str(path))
            engine.load_root(archive, NODE_REPOSITORY, tag, (f"ENV PATH={files[0].parent}",))
    return name


def _node_files() -> list[Path]:
    """The program, and the libraries it is linked with."""
    program = shutil.which("node")
    assert program, "node is needed to test the examples"
    node = Path(program).resolve()
    listing = subprocess.run(["ldd", node], capture_output=True, text=True, check=True).stdout
    return [node, *(Path(found) for found in re.findall(r"(/\S+) \(0x", listing))]
