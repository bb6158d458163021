"""The rules that a new bank begins with.

They are on, and generous: they stop what no honest customer does, and what depends on a bank's own customers - how much
is much, how many are many - begins in shadow, for its report to say what the limits should be (docs/antifraud.md).
"""

from typing import Any

_VERY_MUCH = {"*": 1_000_000, "JPY": 100_000_000, "KRW": 1_000_000_000, "CLP": 1_000_000_000}
_WHAT_NOBODY_SENDS = {currency: 10 * amount for currency, amount in _VERY_MUCH.items()}

FIRST_RULES: dict[str, Any] = {
    "rules": [
        {"rule": {"code": "listed"}, "action": "reject", "mode": "active"},
        {
            "rule": {"code": "velocity", "per_minute": 60, "per_hour": 300, "per_day": 1_000},
            "action": "review",
            "mode": "active",
        },
        {
            "rule": {
                "code": "habit",
                "times": 50,
                "from_count": 10,
                "from_amount": {"*": 20_000, "JPY": 2_000_000, "KRW": 20_000_000, "CLP": 20_000_000},
            },
            "action": "review",
            "mode": "active",
        },
        {"rule": {"code": "new_counterparty", "from_amount": _WHAT_NOBODY_SENDS}, "action": "review", "mode": "active"},
        {
            "rule": {"code": "night", "from_hour": 22, "to_hour": 6, "from_amount": _VERY_MUCH},
            "action": "review",
            "mode": "shadow",
        },
        {
            "rule": {
                "code": "structuring",
                "limit": {"*": 50_000, "JPY": 5_000_000, "KRW": 50_000_000, "CLP": 50_000_000},
                "within_percent": 10,
                "times": 3,
            },
            "action": "review",
            "mode": "active",
        },
        {"rule": {"code": "fan_out", "per_day": 500}, "action": "review", "mode": "shadow"},
        {"rule": {"code": "fan_in", "per_day": 200}, "action": "review", "mode": "shadow"},
        {
            "rule": {"code": "young_account", "days": 7, "from_amount": _VERY_MUCH},
            "action": "review",
            "mode": "shadow",
        },
    ]
}
