"""Figures over numbers, without a library."""

import math
from collections.abc import Sequence
from statistics import fmean, median

BARS = "▁▂▃▄▅▆▇█"


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of sorted values, interpolated as spreadsheets do (type 7)."""
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def deviation(values: Sequence[float]) -> float:
    """The sample's standard deviation; 0 for fewer than two values."""
    if len(values) < 2:
        return 0.0
    mean = fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def skewness(values: Sequence[float]) -> float:
    """The third standardised moment: above 0 where the long tail is on the right."""
    spread = deviation(values)
    if spread == 0:
        return 0.0
    mean = fmean(values)
    return math.fsum(((value - mean) / spread) ** 3 for value in values) / len(values)


def robust_scores(values: Sequence[float]) -> list[float]:
    """How far each value is from the median in robust standard deviations (Iglewicz and Hoaglin, 1993).

    Where more than half of the values are equal the median deviation is 0, and the mean deviation takes its place.
    """
    middle = median(values)
    deviations = [abs(value - middle) for value in values]
    scale = median(deviations) * 1.4826 or fmean(deviations) * 1.2533
    if scale == 0:
        return [0.0] * len(values)
    return [(value - middle) / scale for value in values]


def histogram(values: Sequence[float], bins: int = 12) -> str:
    """The distribution as a line of bars. Values outside the middle 98 % go into the outermost bars."""
    ordered = sorted(values)
    low, high = quantile(ordered, 0.01), quantile(ordered, 0.99)
    if high <= low:
        return BARS[-1]
    counts = [0] * bins
    for value in ordered:
        counts[min(max(int((value - low) / (high - low) * bins), 0), bins - 1)] += 1
    top = max(counts)
    return "".join(" " if not count else BARS[math.ceil(count / top * len(BARS)) - 1] for count in counts)


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, equal values sharing their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in range(start, end + 1):
            result[order[place]] = (start + end) / 2 + 1
        start = end + 1
    return result


def standardised(values: Sequence[float]) -> list[float]:
    """Values of mean 0 and length 1, so that two lists' dot product is their correlation; all 0 for constants."""
    mean = fmean(values)
    length = math.sqrt(math.fsum((value - mean) ** 2 for value in values))
    if length <= 1e-12 * max(abs(mean), 1.0):
        return [0.0] * len(values)
    return [(value - mean) / length for value in values]


def short(value: float) -> str:
    """A number for people: at most six significant digits, no exponent where it can be helped."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if 1e-4 <= abs(value) < 1e15:
        digits = max(0, 5 - max(math.floor(math.log10(abs(value))), 0))
        return f"{value:,.{min(digits, 4)}f}".rstrip("0").rstrip(".")
    return f"{value:.4g}"
