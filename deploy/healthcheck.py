"""Tells the container engine whether the web process is alive: exit code 0 if /livez answers 200.

The slim image has no curl. ALLOWED_HOSTS decides which Host the application answers to, so the first of them is
sent, or of a whole domain (".bank.example") a host of it.
"""

import os
import sys
import urllib.request

TIMEOUT_SECONDS = 2.0


def main() -> int:
    """Return 0 if the process answers, 1 if not."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip("*.") or "localhost"
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/livez"
    request = urllib.request.Request(url, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - our own loopback URL
            return 0 if answer.status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
