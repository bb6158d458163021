"""How a line of the log is written."""

import logging
from io import StringIO

from core.logs import UTCFormatter


def test_a_moment_is_written_in_utc() -> None:
    output = StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(UTCFormatter("%(asctime)s %(message)s"))

    handler.handle(logging.makeLogRecord({"created": 1_795_257_966.25, "msecs": 250.0, "msg": "Opened"}))

    assert output.getvalue() == "2026-11-21T10:46:06.250Z Opened\n"


def test_every_handler_of_the_bank_writes_so() -> None:
    formatters = {type(handler.formatter) for handler in logging.getLogger().handlers if handler.name == "console"}

    assert formatters == {UTCFormatter}
