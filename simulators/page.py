"""The page on which a person watches a simulator and lets it fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from html import escape

from simulators.faults import Faults

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #14373c }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .8rem .3rem 0 }
th { font-weight: 600 } tr + tr { border-top: 1px solid #d5e9ea } h2 { margin-top: 2rem }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem } dd { margin: 0; font-size: 1.6rem }
form { display: flex; flex-wrap: wrap; gap: .8rem 1.2rem; align-items: end } label { display: grid; font-size: .85rem }
input { font: inherit; width: 8rem } button { font: inherit; padding: .2rem .8rem }
"""
_SCRIPT = """
async function renew() {
  try { document.getElementById("figures").innerHTML = await (await fetch("/figures")).text() } catch { }
}
renew(); setInterval(renew, 2000)
"""


@dataclass(frozen=True)
class Figures:
    """Numbers with their names, and the latest of what came as a table."""

    numbers: Mapping[str, int]
    headings: Sequence[str]
    rows: Sequence[Sequence[object]]


def render_page(title: str, faults: Faults) -> str:
    """Return the page; its figures come by themselves."""
    switches = "".join(
        f"<label>{escape(field.name.replace('_', ' '))}"
        f'<input name="{field.name}" type="number" min="0" step="{"any" if field.type is float else 1}"'
        f' value="{getattr(faults, field.name):g}"></label>'
        for field in fields(faults)
    )
    calm = "".join(f'<input type="hidden" name="{field.name}" value="0">' for field in fields(faults))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>A simulator: it stands in for a system outside the bank.</p>"
        f'<div id="figures"></div><h2>Faults</h2><p>Rates are from 0 to 1.</p>'
        f'<form method="post" action="/faults">{switches}<button>Set</button></form>'
        f'<form method="post" action="/faults">{calm}<button>All off</button></form>'
        f"<script>{_SCRIPT}</script></html>"
    )


def render_figures(figures: Figures) -> str:
    """Return the part of the page that changes by itself."""
    numbers = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{value:,}</dd></div>" for name, value in figures.numbers.items()
    )
    head = "".join(f"<th>{escape(heading)}</th>" for heading in figures.headings)
    rows = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in figures.rows)
    return f"<dl>{numbers}</dl><h2>Latest</h2><table><tr>{head}</tr>{rows}</table>"
