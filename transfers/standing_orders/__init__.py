"""Standing orders: transfers that a client orders once, to be made on days to come."""
