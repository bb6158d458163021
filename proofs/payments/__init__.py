"""The proof that a payment's money is in one place at every moment, whatever the rail does and whoever is killed."""
