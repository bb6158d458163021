"""What the bank tells others and itself about what happened: reports to the regulator, figures for staff."""
