"""How PostgreSQL would find rows in large tables."""

from django.db import connection

# Autovacuum may have counted the rows of tests while there were none, and plans would differ by chance.
_FORGET_STATISTICS = """
    SELECT pg_clear_relation_stats(schemaname, tablename) FROM pg_tables WHERE schemaname = 'public';
    SELECT pg_clear_relation_stats(schemaname, indexname) FROM pg_indexes WHERE schemaname = 'public';
    SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited)
    FROM pg_stats WHERE schemaname = 'public'
"""


def explain(sql: str) -> str:
    """Return the plan of `sql` as it would be if there were many rows; the test's transaction ends what it takes."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_STATISTICS)
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())
