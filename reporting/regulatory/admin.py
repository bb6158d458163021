"""Pages of the reports to the regulator."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin import show_account
from core.admin.cells import Tone, amount_column, column, link_to, show_amount, show_moment, show_status
from core.admin.pages import BankAdmin
from core.admin.tables import Table, table_on
from reporting.regulatory.models import Report
from reporting.regulatory.states import ReportState
from transfers.models import Transfer

_TONES = {ReportState.WAITING: Tone.WAITING}


def _show_state(report: Report) -> str:
    return show_status(report.state, report.get_state_display(), _TONES)


_TRANSFER = column("Transfer", lambda report: link_to(Transfer, report.pk))
_STATE = column("State", _show_state)
_AMOUNT = amount_column("Amount", lambda report: show_amount(report.amount, report.currency))
_FROM = column("From", lambda report: show_account(report.debtor_account))
_TO = column("To", lambda report: show_account(report.creditor_account))
_COMPLETED = column("Completed", lambda report: show_moment(report.completed_at))
_WRITTEN = column("Written", lambda report: show_moment(report.created_at))


@admin.register(Report)
class ReportAdmin(BankAdmin):
    """What the regulator has to know of a transfer."""

    help_text = "One report for each completed transfer, written within moments of it; newest first."
    empty_text = "No report matches. Search by the id of a transfer."
    search_help_text = "Id of the transfer"
    ordering = ("-pk",)
    list_select_related = ("debtor_account", "creditor_account")
    list_display = (_TRANSFER, _FROM, _TO, _AMOUNT, _COMPLETED, _STATE)
    list_filter = (("state", ChoicesDropdownFilter),)
    fieldsets = (("Report", {"fields": (_TRANSFER, _STATE, _AMOUNT, _FROM, _TO, _COMPLETED, _WRITTEN)}),)


@table_on(Transfer, permission="regulatory.view_report")
def _show_report_of_transfer(request: HttpRequest, transfer: Transfer) -> Table | None:
    report = Report.objects.filter(pk=transfer.pk).first()
    if report is None:
        return None
    return Table(
        title="Report to the regulator",
        headings=("Report", "Written", "State"),
        rows=[(link_to(Report, report.pk), show_moment(report.created_at), _show_state(report))],
        empty="",
    )
