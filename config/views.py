"""The site's icon and error pages. Programs that ask the API get problem details instead of HTML."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static

from config.api.problems import CONTENT_TYPE

SENTENCES = {
    400: ("bad_request", "This request could not be understood."),
    403: ("permission_denied", "You may not do this."),
    404: ("not_found", "There is nothing at this address, or it is not yours to see."),
    429: ("throttled", "Too many attempts. Wait a minute, then try again."),
    500: ("server_error", "Something broke on our side; it has been noted. Try again in a moment."),
}


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """To the mark, for browsers that ask for an icon which a page did not name."""
    return HttpResponseRedirect(static("site/mark.svg"))


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _problem(status: int) -> JsonResponse:
    code, detail = SENTENCES[status]
    body = {
        "type": f"about:blank#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    return _problem(400) if _is_api(request) else render(request, "errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    return _problem(403) if _is_api(request) else render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    return _problem(404) if _is_api(request) else render(request, "errors/404.html", status=404)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """handler429, which allauth calls when its limits are reached."""
    return render(request, "errors/429.html", status=429)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a page that needs neither database nor session, which may be what broke."""
    return _problem(500) if _is_api(request) else HttpResponse(render_to_string("errors/500.html"), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW."""
    return _problem(403) if _is_api(request) else render(request, "errors/403_csrf.html", status=403)
