"""`python -m simulators.regulator --port N --state FILE`."""

from simulators.launch import launch
from simulators.regulator.register import SCHEMA
from simulators.regulator.service import Regulator, RegulatorFaults

launch(Regulator, name="regulator", schema=SCHEMA, faults=RegulatorFaults)
