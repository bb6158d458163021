"""Statements in the back office: on an account's page, a PDF for each of the last months."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.models import Account
from core.admin.cells import link
from core.admin.tables import Table, table_on
from core.language import bank_language
from ledger.errors import AccountNotFoundError
from transfers.statements.errors import StatementsBusyError, StatementTooLongError
from transfers.statements.files import RENDERERS, answer_with
from transfers.statements.periods import Period, get_booking_date
from transfers.statements.selectors import get_statement
from transfers.statements.states import StatementFormat

_PERMISSION = "ledger.view_posting"
_MONTHS = 12
_ADDRESS = "account_statement"


class _Month(NamedTuple):
    """A calendar month."""

    year: int
    number: int

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    def get_previous(self) -> "_Month":
        last_day = self.first_day - timedelta(days=1)
        return _Month(last_day.year, last_day.month)

    def cut(self, *, today: date) -> Period:
        """Return its days up to today."""
        next_first_day = (self.first_day + timedelta(days=31)).replace(day=1)
        return Period(self.first_day, min(next_first_day - timedelta(days=1), today))


@table_on(Account, permission=_PERMISSION)
def _show_statements(request: HttpRequest, account: Account) -> Table:
    return Table(
        title=gettext("Statements"),
        headings=(gettext("Month"), gettext("Document")),
        rows=[(date_format(month.first_day, "F Y"), _link_to_pdf(account, month)) for month in _list_months(account)],
        empty="",
        help=gettext("As the client gets them through the API, where any days may be asked for."),
    )


def _list_months(account: Account) -> Iterator[_Month]:
    """Yield the last months in which there was the account, the newest first."""
    opened, today = get_booking_date(account.created_at), get_booking_date(timezone.now())
    month = _Month(today.year, today.month)
    for _ in range(_MONTHS):
        yield month
        month = month.get_previous()
        if month < (opened.year, opened.month):
            return


def _link_to_pdf(account: Account, month: _Month) -> str:
    return link(reverse(_ADDRESS, args=[account.pk, *month]), "PDF")


@require_safe
def download_statement(request: HttpRequest, account_id: UUID, year: int, month: int) -> HttpResponseBase:
    """Send the PDF of a month that has begun, to staff who may read the account's postings."""
    if not (request.user.has_perm("accounts.view_account") and request.user.has_perm(_PERMISSION)):
        raise PermissionDenied
    now = timezone.now()
    today = get_booking_date(now)
    if not (1 <= month <= 12 and year >= 1970 and (year, month) <= (today.year, today.month)):
        raise Http404
    form = StatementFormat.PDF
    try:
        statement = get_statement(
            account_id=account_id,
            client_id=None,
            period=_Month(year, month).cut(today=today),
            max_entries=RENDERERS[form].max_entries,
            now=now,
        )
        with bank_language():
            return answer_with(statement, form=form)
    except AccountNotFoundError as error:
        raise Http404 from error
    except (StatementTooLongError, StatementsBusyError) as error:
        return HttpResponse(gettext(error.text), status=error.http_status, content_type="text/plain")


admin_urlpatterns = [
    path(
        "accounts/account/<id:account_id>/statement/<int:year>/<int:month>",
        admin.site.admin_view(download_statement),
        name=_ADDRESS,
    )
]
