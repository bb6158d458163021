"""Pages of transfers: their list and search, and the page of one with its whole story.

An upper app adds the steps that it knows of to the story with `tells_of_transfer`, and tables as to any page.
"""

from transfers.admin import story, transfers
from transfers.admin.cells import explain_failure
from transfers.admin.story import Step, tells_of_transfer

__all__ = ["Step", "explain_failure", "story", "tells_of_transfer", "transfers"]
