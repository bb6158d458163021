"""What needs two people: a request, what it would do, and the decision of somebody else."""
