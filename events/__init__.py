"""Events: what happened, written in the commit that made it true."""
