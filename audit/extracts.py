"""What an auditor may take: each extract is one query over a span of days, whose columns are those of its file.

Amounts are minor units, as they are in the books; moments are in UTC.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from audit.states import ExtractKind
from core.history.tracking import histories

_ENTRIES = """
    SELECT entry.id AS entry, entry.code, entry.reference, entry.booked_at, entry.value_date,
        entry.reversal_of_id AS reversal_of, posting.account_id AS account,
        CASE posting.side WHEN -1 THEN 'debit' ELSE 'credit' END AS side, posting.amount AS amount_minor,
        posting.currency, posting.balance_after AS balance_after_minor, posting.version
    FROM ledger_journalentry entry JOIN ledger_posting posting ON posting.entry_id = entry.id
    WHERE {where} ORDER BY entry.booked_at, entry.id, posting.account_id
"""
_TRANSFERS = """
    SELECT id AS transfer, kind, status, debtor_account_id AS debtor_account, creditor_account_id AS creditor_account,
        amount AS amount_minor, currency, initiated_by_id AS initiated_by, created_at, completed_at, failure_code
    FROM transfers_transfer WHERE {where} ORDER BY created_at, id
"""
_CHANGES_OF_TABLE = """
    SELECT '{label}' AS "table", pgh_obj_id::text AS row, pgh_id AS number, pgh_created_at AS at, pgh_label AS what,
        pgh_user_id AS by, pgh_context->>'edge' AS edge, pgh_context->>'work' AS work,
        pgh_context->>'request' AS request, pgh_context->>'reason' AS reason,
        array_to_string(pgh_changed, ' ') AS changed, (to_jsonb(h) - 'pgh_context' - 'pgh_changed')::text AS became
    FROM "{history}" h WHERE {where}
"""
_LOOKS = """
    SELECT looked_at AS at, kind, looked_by_id AS by, client_id AS client, page, subject_id AS subject, request, reason
    FROM audit_look WHERE {looks}
    UNION ALL
    SELECT look.looked_at, 'file', look.looked_by_id, document.client_id, 'kyc.clientdocument', document.id, '', ''
    FROM kyc_documentlook look JOIN kyc_clientdocument document ON document.id = look.document_id
    WHERE {files} ORDER BY 1
"""
_APPROVALS = """
    SELECT id AS approval, operation, subject, status, amount AS amount_minor, currency,
        requested_by_id AS requested_by, requested_at, request_reason, decided_by_id AS decided_by, decided_at,
        decision_reason, encode(content_hash, 'hex') AS content_sha256
    FROM approvals_approval WHERE {where} ORDER BY requested_at, id
"""
_ROLES = """
    SELECT member.id AS user, member.username AS name, member.is_active AS may_sign_in, member.is_staff,
        member.is_superuser, string_agg(DISTINCT role.name, ' ' ORDER BY role.name) AS roles,
        string_agg(DISTINCT permission.codename, ' ' ORDER BY permission.codename) AS own_permissions
    FROM core_user member
    LEFT JOIN core_user_groups given ON given.user_id = member.id
    LEFT JOIN auth_group role ON role.id = given.group_id
    LEFT JOIN core_user_user_permissions own ON own.user_id = member.id
    LEFT JOIN auth_permission permission ON permission.id = own.permission_id
    WHERE member.is_staff OR given.id IS NOT NULL OR own.id IS NOT NULL
    GROUP BY member.id ORDER BY member.id
"""
_OWNED = "(SELECT id FROM accounts_account WHERE client_id = %s)"


class Span(NamedTuple):
    """From a moment on, until before another; of one client or one account, if it is narrowed."""

    start: datetime
    end: datetime
    client_id: UUID | None = None
    account_id: UUID | None = None


class Query(NamedTuple):
    """SQL and its parameters."""

    sql: str
    params: list[Any]


def _narrow(span: Span, *, at: str, client: str, account: str) -> Query:
    """Return the conditions of a span, `client` and `account` being those for one of them."""
    conditions, params = [f"{at} >= %s AND {at} < %s"], list[Any]([span.start, span.end])
    for condition, key in ((client, span.client_id), (account, span.account_id)):
        if key is not None:
            conditions.append(condition)
            params += [key] * condition.count("%s")
    return Query(" AND ".join(conditions), params)


def _list_entries(span: Span) -> Query:
    client, account = f"posting.account_id IN {_OWNED}", "posting.account_id = %s"
    where = _narrow(span, at="entry.booked_at", client=client, account=account)
    return Query(_ENTRIES.format(where=where.sql), where.params)


def _list_transfers(span: Span) -> Query:
    client = f"(debtor_account_id IN {_OWNED} OR creditor_account_id IN {_OWNED})"
    account = "(debtor_account_id = %s OR creditor_account_id = %s)"
    where = _narrow(span, at="created_at", client=client, account=account)
    return Query(_TRANSFERS.format(where=where.sql), where.params)


def _list_changes(span: Span) -> Query:
    """All histories as one: what a row became is JSON, since each has columns of its own."""
    parts, params = [], list[Any]()
    for model, history in histories.items():
        label = model._meta.label
        columns = {field.column for field in history._meta.fields}
        client = "pgh_obj_id = %s" if label == "kyc.Client" else _find_column(columns, "client_id")
        account = _find_column(columns, "account_id", "debtor_account_id")
        account = "pgh_obj_id = %s" if label == "accounts.Account" else account
        where = _narrow(span, at="pgh_created_at", client=client, account=account)
        parts.append(_CHANGES_OF_TABLE.format(label=label, history=history._meta.db_table, where=where.sql))
        params += where.params
    return Query(f"{' UNION ALL '.join(parts)} ORDER BY 4, 1, 3", params)


def _find_column(columns: set[str], *names: str) -> str:
    return next((f"{name} = %s" for name in names if name in columns), "false")


def _list_looks(span: Span) -> Query:
    looks = _narrow(span, at="looked_at", client="client_id = %s", account="subject_id = %s")
    files = _narrow(span, at="look.looked_at", client="document.client_id = %s", account="false")
    return Query(_LOOKS.format(looks=looks.sql, files=files.sql), looks.params + files.params)


def _list_approvals(span: Span) -> Query:
    where = _narrow(span, at="requested_at", client="subject = %s::text", account="subject = %s::text")
    return Query(_APPROVALS.format(where=where.sql), where.params)


def _list_roles(span: Span) -> Query:
    """Staff and partner systems as they are now, whatever the days."""
    return Query(_ROLES, [])


EXTRACTS: dict[ExtractKind, Callable[[Span], Query]] = {
    ExtractKind.ENTRIES: _list_entries,
    ExtractKind.TRANSFERS: _list_transfers,
    ExtractKind.CHANGES: _list_changes,
    ExtractKind.LOOKS: _list_looks,
    ExtractKind.APPROVALS: _list_approvals,
    ExtractKind.ROLES: _list_roles,
}
