"""Moving money in the API, a module for each thing that callers ask for."""
