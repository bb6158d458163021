"""`make proof-inactivation` in small."""

from tests.faults.test_proof import empty_database, run  # noqa: F401 - a fixture


def test_nothing_moves_on_an_account_once_it_is_closed_whatever_is_at_work_on_it(empty_database: str) -> None:  # noqa: F811
    size = ["--seconds", "12", "--accounts", "5", "--hands", "4", "--clerks", "2", "--seed", "5"]

    done = run("proofs.inactivation", *size, database=empty_database)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no violation" in done.stdout
