"""A plant of devices over a wireless channel, seeded, with everything that goes wrong labelled."""

from redshank.simulate.build import MONDAY_NS, simulate
from redshank.simulate.plan import CAUSES, GAP_H, OUTAGE
from redshank.simulate.radio import Fate, packet_error_rate, path_loss_db
from redshank.simulate.settings import Link, Plant
from redshank.simulate.simulation import NEVER_NS, Settings, Simulation, Transmissions
from redshank.simulate.writing import write

__all__ = [
    "CAUSES",
    "GAP_H",
    "MONDAY_NS",
    "NEVER_NS",
    "OUTAGE",
    "Fate",
    "Link",
    "Plant",
    "Settings",
    "Simulation",
    "Transmissions",
    "packet_error_rate",
    "path_loss_db",
    "simulate",
    "write",
]
