"""`make fuzz`: every call of the API with whatever may come, held against the OpenAPI document.

Nothing here names a call. What is called, with what, and what may be answered, is read from the document, so a new call
is fuzzed as soon as it is declared.
"""
