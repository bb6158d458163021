"""`python -m simulators.rail --port N --state FILE`."""

from simulators.launch import launch
from simulators.rail.ledger import SCHEMA
from simulators.rail.service import RailFaults, RailSimulator

launch(RailSimulator, name="rail", schema=SCHEMA, faults=RailFaults)
