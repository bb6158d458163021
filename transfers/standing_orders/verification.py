"""Proof that standing orders, their runs and transfers agree: rules that `verify_ledger` runs, see apps.py."""

from ledger.verification import Section

_IS_DUE = """
    CASE kind
        WHEN 'once' THEN moment = first_date
        WHEN 'weekly' THEN to_char(moment, 'FMday') = weekday
        ELSE extract(day FROM moment)
            = least(day, extract(day FROM date_trunc('month', moment) + interval '1 month - 1 day'))
    END
"""
"""Whether a schedule asks for the day that `moment` begins: schedules.py said again in SQL, so as not to trust it."""

STANDING_ORDERS = Section(
    name="standing orders",
    table="standing_orders_standingorder",
    rules={
        "each due date that is past has its run": f"""
            SELECT standing_order.id, 'no run for ' || moment::date
            FROM standing_orders_standingorder standing_order
            CROSS JOIN LATERAL generate_series(first_date::timestamp, CASE
                WHEN status = 'active' THEN next_due_date - 1
                WHEN status = 'completed' THEN CASE kind WHEN 'once' THEN first_date ELSE last_date END
            END::timestamp, interval '1 day') moment
            WHERE standing_order.id = ANY(%(ids)s) AND {_IS_DUE} AND NOT EXISTS (
                SELECT FROM standing_orders_run WHERE standing_order_id = standing_order.id AND due_date = moment::date
            )
        """,  # noqa: S608 - built from constants
        "each run is of a due date that is past": f"""
            SELECT standing_order.id, 'run for ' || due_date
            FROM standing_orders_standingorder standing_order
            JOIN standing_orders_run run ON run.standing_order_id = standing_order.id
            CROSS JOIN LATERAL (SELECT due_date::timestamp AS moment) due
            WHERE standing_order.id = ANY(%(ids)s) AND NOT (
                {_IS_DUE} AND due_date >= first_date AND (last_date IS NULL OR due_date <= last_date)
                AND (next_due_date IS NULL OR due_date < next_due_date)
            )
        """,  # noqa: S608 - built from constants
        "a standing order has its events (I6)": """
            SELECT standing_order.id, count(event.seq) || ' events of ' || told.status
            FROM standing_orders_standingorder standing_order
            CROSS JOIN LATERAL (
                SELECT 'created' AS status
                UNION ALL SELECT standing_order.status WHERE standing_order.status <> 'active'
            ) told
            LEFT JOIN events_event event
                ON event.key = standing_order.id AND event.type = 'standing_order.' || told.status
            WHERE standing_order.id = ANY(%(ids)s)
            GROUP BY standing_order.id, told.status HAVING count(event.seq) <> 1
        """,
    },
)

RUNS = Section(
    name="runs of standing orders",
    # A run has no id, and an old order has new ones: those that made a transfer are walked through by its id.
    table="(SELECT transfer_id AS id FROM standing_orders_run WHERE transfer_id IS NOT NULL) run",
    rules={
        "a run's transfer is what its order says": """
            SELECT run.standing_order_id, 'run for ' || run.due_date || ', transfer ' || run.transfer_id
            FROM standing_orders_run run
            JOIN standing_orders_standingorder standing_order ON standing_order.id = run.standing_order_id
            LEFT JOIN transfers_transfer transfer ON transfer.id = run.transfer_id
            WHERE run.transfer_id = ANY(%(ids)s)
              AND (transfer.kind, CASE run.outcome WHEN 'in_review' THEN 'in_review' ELSE transfer.status END,
                   CASE run.outcome WHEN 'in_review' THEN '' ELSE transfer.failure_code END,
                   transfer.debtor_account_id, transfer.creditor_account_id, transfer.amount, transfer.currency)
                  IS DISTINCT FROM
                  ('internal', run.outcome, run.code, standing_order.debtor_account_id,
                   standing_order.creditor_account_id, standing_order.amount, standing_order.currency)
        """,
    },
)
