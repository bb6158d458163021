"""How a line of the log is written."""

import logging
import time


class UTCFormatter(logging.Formatter):
    """Writes moments as 2026-11-21T10:46:06.186Z, whatever time zone the bank or the machine is in."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"
