"""Account statements: what was booked in a period, between the balances that it began and ended with."""
