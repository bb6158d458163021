"""The rule of rows that need two people: declared on their models, kept by PostgreSQL for raw SQL, too."""

import pgtrigger

from core.triggers import refuse

_ON_INSERT = pgtrigger.Insert


def needs_approval(
    *,
    table: str,
    operation: str,
    approval: str = "NEW.approval_id",
    subject: str = "",
    on: pgtrigger.core.Operation | pgtrigger.core.Operations = _ON_INSERT,
    condition: str = "",
) -> pgtrigger.Trigger:
    """Return a trigger that refuses a row of `table` unless an approval of `operation` is being carried out for it.

    `approval` is the SQL of the approval's id, `subject` that of the text which the approval must have as its subject,
    `condition` that of which rows need one at all; all are over NEW and OLD. An approval is good in the transaction
    that carries it out and never again; see Note [Approved in this transaction]. That it is used for one row only is
    for a unique constraint on the column with its id.
    """
    of_subject = f"AND approval.subject = {subject}::text" if subject else ""
    func = f"""
        IF NOT EXISTS (
            SELECT FROM approvals_approval approval
            WHERE approval.id = {approval} AND approval.operation = '{operation}' {of_subject}
              AND approval.approved_xid = pg_current_xact_id()::text::bigint
        ) THEN
            {refuse(constraint=f"{table}_approved", message=f"a row of {table} without its approval")}
        END IF;
        RETURN NEW;
    """
    return pgtrigger.Trigger(
        name="approved",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=on,
        condition=pgtrigger.Condition(condition) if condition else None,
        func=func,
    )
