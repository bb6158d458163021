"""The proof that each completed transfer is reported and acknowledged once, whatever fails or is killed."""
