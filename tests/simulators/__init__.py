"""The stand-ins for what is outside the bank, as processes over HTTP."""
