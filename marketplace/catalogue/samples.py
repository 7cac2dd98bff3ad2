"""Sample agents from files that the image builder wrote: registered, published, and brought up to date."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from chain.errors import InvalidAmountError, UnknownTokenError
from chain.networks import Network
from chain.tokens import get_token, parse_amount
from marketplace.catalogue.agents import add_version, create_agent, publish, update_agent
from marketplace.catalogue.models import Agent
from marketplace.catalogue.modules.storing import store_module
from marketplace.catalogue.numbers import next_patch, parse_number
from marketplace.errors import InvalidAgentError
from wallets.models import LinkedWallet, User

CREATOR_NAME = "AgentNexus Samples"
_TEXTS = ("name", "tagline", "description")
_SCHEMAS = ("input_schema", "output_schema", "example_input")


@dataclass(frozen=True, slots=True)
class Sample:
    """A built sample agent: its manifest (`agent.json`) and `image` as `agentnexus/<slug>@sha256:<image id>`, or
    `module`, the path of a WebAssembly module."""

    slug: str
    image: str
    manifest: dict[str, Any]
    module: str = ""

    @classmethod
    def from_json(cls, document: Any) -> "Sample":
        """Raises ValueError when `document` is not `{"slug", "image" or "module", "manifest"}`."""
        match document:
            case {"slug": str(slug), "module": str(module), "manifest": dict(manifest)} if module:
                return cls(slug, "", manifest, module)
            case {"slug": str(slug), "image": str(image), "manifest": dict(manifest)}:
                return cls(slug, image, manifest)
        raise ValueError('expected {"slug": "…", "image": "…", "manifest": {…}}')


@dataclass(frozen=True, slots=True)
class Seeded:
    """What became of a sample: the agent, and what was done, such as `created` or `version 1.0.1`."""

    agent: Agent
    done: tuple[str, ...]


def creator_of_samples(address: str) -> User:
    """The user whose wallet `address` is; made on the first run."""
    with transaction.atomic():
        wallet = LinkedWallet.objects.select_related("user").filter(address=address).first()
        if wallet is not None:
            return wallet.user
        creator = User.objects.create_user(display_name=CREATOR_NAME)
        LinkedWallet.objects.create(user=creator, address=address, is_primary=True)
        return creator


def seed(creator: User, samples: Sequence[Sample], network: Network) -> Iterator[Seeded]:
    """Bring each sample's agent up to date, one transaction each. Running it again changes nothing.

    Raises InvalidAgentError, InvalidVersionError, NotPublishableError for a manifest that is refused.
    """
    for sample in samples:
        with transaction.atomic():
            yield _seed_one(creator, sample, network)


def _seed_one(creator: User, sample: Sample, network: Network) -> Seeded:
    done = []
    manifest = sample.manifest
    wanted = {name: manifest.get(name, "") for name in _TEXTS}
    wanted |= {"category": manifest.get("category", ""), "access_duration": manifest.get("access_duration", 0)}
    prices = _prices(network, sample)
    agent = Agent.objects.filter(slug=sample.slug).first()
    if agent is None:
        agent = create_agent(creator, **wanted, prices=prices, network=network.slug, slug=sample.slug)
        done.append("created")
    else:
        present = {name: getattr(agent, name) for name in (*_TEXTS, "access_duration")} | {
            "category": agent.category_id
        }
        stated = {name: value.strip() if isinstance(value, str) else value for name, value in wanted.items()}
        if present != stated or dict(agent.prices.values_list("token", "amount")) != prices:
            agent = update_agent(agent, creator, **wanted, prices=prices)
            done.append("changed")
    number = _add_version(agent, creator, sample)
    if number:
        done.append(f"version {number}")
    if agent.status == Agent.Status.DRAFT:
        agent = publish(agent, creator)
        done.append("published")
    return Seeded(agent, tuple(done))


def _add_version(agent: Agent, creator: User, sample: Sample) -> str | None:
    """Add a version when the newest one is not this image with these schemas: its number, or None."""
    manifest = sample.manifest
    module = store_module(creator, Path(sample.module).read_bytes()).sha256 if sample.module else ""
    newest = agent.versions.newest_first().first()
    number = str(manifest.get("number", ""))
    if newest is not None:
        same = (newest.image, newest.module) == (sample.image, module) and all(
            getattr(newest, name) == manifest.get(name) for name in _SCHEMAS
        )
        if same:
            return None
        if parse_number(number) <= parse_number(newest.number):
            # The image was built anew without a new number in the manifest.
            number = next_patch(newest.number)
    version = add_version(
        agent,
        creator,
        number=number,
        image=sample.image,
        module=module,
        input_schema=manifest.get("input_schema", {}),
        output_schema=manifest.get("output_schema", {}),
        example_input=manifest.get("example_input"),
        release_notes=str(manifest.get("release_notes", "")),
    )
    return version.number


def _prices(network: Network, sample: Sample) -> dict[str, int]:
    """The manifest's prices (whole tokens as text) in base units by address, as far as the network has the token."""
    prices: dict[str, int] = {}
    for symbol, text in sample.manifest.get("prices", {}).items():
        try:
            token = get_token(network, symbol)
            prices[token.address] = parse_amount(str(text), token)
        except UnknownTokenError:
            continue  # for instance USDC before the contracts of a local chain are there
        except InvalidAmountError as exc:
            raise InvalidAgentError(
                f"{sample.slug}: {exc.message}", fields={f"/prices/{symbol}": exc.message}
            ) from None
    return prices
