"""What goes to the regulator, against its simulator as a process of its own."""
