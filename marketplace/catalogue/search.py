"""Finding agents: full text with the search engines' syntax, prefixes and typing errors, filters, orderings."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db.models import F, FloatField, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Round

from chain.errors import UnknownTokenError
from chain.networks import Network, default_network
from chain.tokens import NATIVE, get_token
from marketplace.catalogue.models import TEXT_SEARCH_CONFIG, Agent, AgentPrice, AgentQuerySet
from marketplace.catalogue.text import storable
from marketplace.errors import InvalidSearchError
from wallets.signin.models import MAY_ACT

MAXIMUM_QUERY_LENGTH = 200
# A suspended creator's agents are not sold, so they are not shown.
_CREATOR_MAY_ACT = {f"creator__{column}": value for column, value in MAY_ACT.items()}
_WORD = re.compile(r"\w+")
# What websearch_to_tsquery reads as more than words. Such a query means what it says: no guessing at typing errors.
_OPERATORS = re.compile(r"""["“”]|(?:^|\s)-\w|\sor\s""", re.IGNORECASE)


class Ordering(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    POPULAR = "popular"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class SortKey:
    """The column (or annotation) an ordering sorts by before the id, and its direction."""

    column: str
    descending: bool


SORT_KEYS = {
    Ordering.RELEVANCE: SortKey("relevance", descending=True),
    Ordering.NEWEST: SortKey("published_at", descending=True),
    Ordering.POPULAR: SortKey("purchase_count", descending=True),
    Ordering.PRICE: SortKey("price_amount", descending=False),
}


@dataclass(frozen=True, slots=True)
class Search:
    """The agents found, in order, and by which key they are sorted."""

    agents: AgentQuerySet
    ordering: Ordering

    @property
    def sort_key(self) -> SortKey:
        return SORT_KEYS[self.ordering]


def search(
    query: str = "",
    category: str = "",
    token: str = "",
    ordering: str = "",
    network: Network | None = None,
) -> AgentQuerySet:
    """Published agents of `network` (the default network when not given), ready for a list (descriptions are deferred).

    `query`: words, "phrases", -exclusions, `or`. The last word of a plain query may be the beginning of one, and when
    a plain query finds nothing, near misses of names and taglines are found; to know that, the database is asked once
    while the search is planned. `category` is a slug; `token` a symbol or address the agent must be sold in.

    `ordering` is `relevance` (the default with a query), `newest` (the default without), `popular` (most bought), or
    `price` (cheapest first in `token`, or in the network's own coin; agents not sold in it are left out).

    Raises UnknownTokenError, InvalidSearchError. No query, however strange, raises anything else.
    """
    return plan(query, category, token, ordering, network).agents


def plan(
    query: str = "",
    category: str = "",
    token: str = "",
    ordering: str = "",
    network: Network | None = None,
) -> Search:
    """As `search`, with the ordering that was chosen."""
    network = network or default_network()
    words = storable(query)[:MAXIMUM_QUERY_LENGTH].strip()
    chosen = _ordering(ordering, words)
    agents = Agent.objects.published().filter(network=network.slug, **_CREATOR_MAY_ACT)
    if category:
        agents = agents.filter(category=storable(category))
    if token or chosen is Ordering.PRICE:
        agents = _sold_in(agents, _token_address(network, token))
    if words:
        agents = _matching(agents, words)
    key = SORT_KEYS[chosen]
    if key.column == "relevance" and not words:
        agents = agents.annotate(relevance=Value(0, IntegerField()))
    sign = "-" if key.descending else ""
    ordered = agents.order_by(f"{sign}{key.column}", f"{sign}id").with_listing()
    return Search(ordered.defer("description"), chosen)


def _ordering(ordering: str, words: str) -> Ordering:
    if not ordering:
        return Ordering.RELEVANCE if words else Ordering.NEWEST
    try:
        return Ordering(ordering)
    except ValueError:
        known = ", ".join(Ordering)
        raise InvalidSearchError(
            f"Unknown ordering. Use one of {known}.", fields={"ordering": f"Use one of {known}."}
        ) from None


def _token_address(network: Network, token: str) -> str:
    try:
        return get_token(network, storable(token)).address if token else NATIVE
    except UnknownTokenError as exc:
        raise UnknownTokenError(exc.message, fields={"token": exc.message}) from None


def _sold_in(agents: AgentQuerySet, token: str) -> AgentQuerySet:
    price = AgentPrice.objects.filter(agent=OuterRef("pk"), token=token).values("amount")
    return agents.filter(prices__token=token).annotate(price_amount=Subquery(price))


def _matching(agents: AgentQuerySet, words: str) -> AgentQuerySet:
    """Those that hold the words; only when none does, those whose name or tagline comes near them.

    Nearness costs much more than holding, and would put guesses among the answers.
    """
    holding = SearchQuery(words, search_type="websearch", config=TEXT_SEARCH_CONFIG)
    plain = not _OPERATORS.search(words)
    prefix = _prefix_query(words) if plain else None
    if prefix is not None:
        holding |= prefix
    found = agents.filter(search_vector=holding)
    if not plain or found.order_by().exists():
        return found.annotate(relevance=_millionths(SearchRank(F("search_vector"), holding, normalization=1)))
    # The lookups use the trigram indexes; the threshold is pg_trgm's (0.6).
    near = Q(name__trigram_word_similar=words) | Q(tagline__trigram_word_similar=words)
    nearness = Cast(TrigramWordSimilarity(words, "name"), FloatField()) * 2
    nearness += Cast(TrigramWordSimilarity(words, "tagline"), FloatField())
    return agents.filter(near).annotate(relevance=_millionths(nearness))


def _millionths(rank: Any) -> Any:
    """A whole number survives the trip through a page's cursor unchanged."""
    return Cast(Round(Cast(rank, FloatField()) * 1_000_000), IntegerField())


def _prefix_query(words: str) -> SearchQuery | None:
    """All words, the last one as a prefix: what somebody still typing means. Built of word characters only."""
    parts = _WORD.findall(words)
    if not parts:
        return None
    *whole, last = parts
    terms = [f"'{word}'" for word in whole] + [f"'{last}':*"]
    return SearchQuery(" & ".join(terms), search_type="raw", config=TEXT_SEARCH_CONFIG)
