"""The problem document (RFC 9457) in the OpenAPI description. config renders it."""

from drf_spectacular.utils import OpenApiResponse

from wallets.api.described import PROBLEM, ProblemSerializer


def problems(**sentences: str) -> dict[int | tuple[int, str], OpenApiResponse]:
    """Responses by status: `problems(_404="No such agent.")`."""
    return {
        (int(status.removeprefix("_")), PROBLEM): OpenApiResponse(ProblemSerializer, sentence)
        for status, sentence in sentences.items()
    }
