"""Pages of the documentation that hold the figures of the last run, between two markers."""

from pathlib import Path


def write_figures(*, page: Path, name: str, report: str) -> None:
    """Put `report` between the markers <!-- name --> and <!-- /name --> of `page`."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = page.read_text().partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{report}\n{end}{after}")
