"""A whole bank from outside: what a customer, the other banks and the regulator see of one movement of money."""
