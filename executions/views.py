"""Runs: asking for one, their list, and the page of each with its live log and result."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from executions import csv_tables, dispatch, documents, forms, presentation, schema_forms
from executions.access import may_read_documents
from executions.connection_summary import connection_summary
from executions.errors import ExecutionError, InputInvalidError
from executions.files.showing import shown_files
from executions.models import Execution
from executions.sharing import quotas
from executions.sharing.obstacles import obstacle
from executions.sharing.positions import position
from marketplace.catalogue.schemas import check_schema
from marketplace.models import Agent, AgentVersion
from marketplace.purchases.access import has_access
from marketplace.terms import current_terms
from wallets.signin.people import signed_in

PER_PAGE = 25
UNREAD = "Nothing was started yet: please correct the marked fields."


@require_http_methods(["GET", "POST"])
@login_required
def run(request: HttpRequest, slug: str) -> HttpResponse:
    """The form made from the live version's input schema; sending it queues a run."""
    user = signed_in(request)
    agent = get_object_or_404(Agent.objects.visible_to(user).with_listing(), slug=slug)
    access = has_access(user, agent)
    version = agent.live_version
    if not access.allowed or version is None or agent.status == Agent.Status.SUSPENDED:
        context = {"agent": agent, "access": access, "version": version}
        return render(request, "executions/no_access.html", context, status=409 if access.allowed else 403)
    if request.method == "POST":
        form = _start(request, agent, version)
        if isinstance(form, Execution):
            return redirect("executions:detail", form.pk)
    else:
        form = forms.blank(version, user, _earlier_input(request, agent))
    context = {"agent": agent, "version": version, "form": form, "access": access, "limits": current_terms(version)}
    return render(request, "executions/run.html", context, status=422 if request.method == "POST" else 200)


def _start(request: HttpRequest, agent: Agent, version: AgentVersion) -> Execution | forms.RunForm:
    """The run that was started, or the form with what is wrong."""
    user = signed_in(request)
    parsed, key = forms.read(version, request.POST)
    if parsed.errors:
        return forms.refused(version, user, request.POST, parsed.errors, UNREAD, key=key)
    # One form with one input starts one run; changed input is another wish.
    once = f"{key[:36]}:{documents.fingerprint(parsed.input)[:16]}" if key.isascii() and key.isprintable() else None
    try:
        return dispatch.request(user, agent, parsed.input, version, once)
    except InputInvalidError as error:
        as_json = request.POST.get(forms.MODE) == "json"
        errors = error.fields if as_json else schema_forms.errors_by_field(version.input_schema, error.fields)
        return forms.refused(version, user, request.POST, errors, error.message, key=key or str(uuid4()))
    except ExecutionError as error:
        return forms.refused(version, user, request.POST, {}, error.message, key=key or str(uuid4()))


def _earlier_input(request: HttpRequest, agent: Agent) -> Any:
    """The input of an own run of this agent named by `?from=`, for "run again"."""
    try:
        wanted = UUID(request.GET.get("from", ""))
    except ValueError:
        return None
    earlier = Execution.objects.filter(pk=wanted, user=signed_in(request), agent=agent).first()
    return earlier.input if earlier else None


@require_POST
@login_required
def form_preview(request: HttpRequest) -> HttpResponse:
    """How the form of an input schema would look, for creators who are writing one."""
    try:
        schema = documents.parse(request.POST.get("schema", "").encode())
    except ValueError as exc:
        return render(request, "executions/_form_preview.html", {"problems": {"": f"This is not JSON yet: {exc}"}})
    problems = check_schema(schema)
    rows = [] if problems else [forms.Row(one) for one in schema_forms.fields(schema)]
    return render(request, "executions/_form_preview.html", {"problems": problems, "rows": rows})


@require_GET
@login_required
def execution_list(request: HttpRequest) -> HttpResponse:
    """The person's own runs, newest first."""
    own = Execution.objects.filter(user=signed_in(request)).with_names().defer("input", "output").order_by("-id")
    page = Paginator(own, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "standing": quotas.standing(signed_in(request))}
    return render(request, "executions/list.html", context)


@require_GET
@login_required
def execution_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One run."""
    context = _result(request, pk)
    execution = context["execution"]
    state = {
        "id": str(execution.pk),
        "status": execution.status,
        "cancel_requested": execution.cancel_requested,
        "started_at": execution.started_at.isoformat() if execution.started_at else None,
        "finished_at": execution.finished_at.isoformat() if execution.finished_at else None,
        "position": context["position"],
        "obstacle": context["obstacle"],
        "cancel_after": execution.cancel_at.isoformat() if execution.cancel_at else None,
    }
    return render(request, "executions/detail.html", context | {"state": state})


@require_GET
@login_required
def execution_result(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The result alone, which the page's script asks for when the run has ended."""
    return render(request, "executions/_result.html", _result(request, pk))


@require_GET
@login_required
def execution_table(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A table of the result with all its rows as CSV; `?member=` names the member of the result that it is."""
    execution = get_object_or_404(Execution.objects.visible_to(request.user).with_names(), pk=pk)
    if not may_read_documents(signed_in(request), execution):
        raise Http404
    name = request.GET.get("member", "")
    rows = csv_tables.rows_of(execution.output, name)
    if rows is None:
        raise Http404
    filename = "-".join(part for part in (execution.agent.slug, slugify(name), str(execution.pk)) if part)
    return HttpResponse(
        csv_tables.render(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}.csv"'},
    )


def _result(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    execution = get_object_or_404(Execution.objects.visible_to(request.user).with_names(), pk=pk)
    readable = may_read_documents(signed_in(request), execution)
    shown = readable and execution.status == Execution.Status.SUCCEEDED
    given, made = shown_files(execution) if readable else ({}, {})
    return {
        "execution": execution,
        "is_owner": execution.user_id == request.user.pk,
        "readable": readable,
        "position": position(execution),
        "obstacle": obstacle(execution),
        "input_files": given.values(),
        "connections": connection_summary(execution),
        "blocks": presentation.blocks(execution.output, execution.version.output_schema, made) if shown else [],
    }
