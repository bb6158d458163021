"""The formats of a statement: a module for each, whose function writes a statement into a file of bytes."""
