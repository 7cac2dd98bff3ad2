"""TextRank: a sentence matters when sentences that matter speak of the same things (Mihalcea and Tarau, 2004)."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

Vector = Mapping[str, float]

DAMPING = 0.85
ROUNDS = 40
TOLERANCE = 1e-5
WEAKEST_LINK = 0.06  # a cosine below this is a coincidence of two common words


def vectors(documents: Sequence[Sequence[str]]) -> list[Vector]:
    """TF-IDF vectors of length 1, one for each document's terms."""
    spread = Counter(term for terms in documents for term in set(terms))
    total = len(documents)
    made: list[Vector] = []
    for terms in documents:
        weights = {
            term: (1 + math.log(count)) * math.log(1 + total / spread[term]) for term, count in Counter(terms).items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        made.append({term: weight / length for term, weight in weights.items()})
    return made


def cosine(one: Vector, other: Vector) -> float:
    """The likeness of two vectors of length 1, from 0 to 1."""
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[term] for term, weight in one.items() if term in other)


def links(documents: Sequence[Vector]) -> list[dict[int, float]]:
    """For each document the others that share its terms, with their likeness.

    Walks an inverted index, so documents that share nothing cost nothing.
    """
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    found: list[dict[int, float]] = [{} for _ in documents]
    for number, vector in enumerate(documents):
        likeness: dict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            for other, other_weight in postings[term]:
                likeness[other] += weight * other_weight
            postings[term].append((number, weight))
        for other, value in likeness.items():
            if value >= WEAKEST_LINK:
                found[number][other] = found[other][number] = value
    return found


def rank(
    graph: Sequence[Mapping[int, float]], prior: Sequence[float], kept: Sequence[bool] | None = None
) -> list[float]:
    """Weighted PageRank over `graph` with `prior` as the chance to start at each document; the ranks sum to 1.

    Documents that are not `kept` are treated as absent, and get 0.
    """
    size = len(graph)
    present = list(kept) if kept is not None else [True] * size
    start = [weight if there else 0.0 for weight, there in zip(prior, present, strict=True)]
    total = sum(start) or 1.0
    start = [weight / total for weight in start]
    edges = [
        [(other, weight) for other, weight in graph[number].items() if present[other]] if present[number] else []
        for number in range(size)
    ]
    strength = [sum(weight for _, weight in outgoing) for outgoing in edges]
    ranks = start[:]
    for _ in range(ROUNDS):
        stranded = sum(ranks[number] for number in range(size) if not edges[number])
        following = [(1 - DAMPING + DAMPING * stranded) * share for share in start]
        for number, outgoing in enumerate(edges):
            if outgoing:
                flow = DAMPING * ranks[number] / strength[number]
                for other, weight in outgoing:
                    following[other] += flow * weight
        change = sum(abs(new - old) for new, old in zip(following, ranks, strict=True))
        ranks = following
        if change < TOLERANCE:
            break
    return ranks
