"""The third quarter of the worlds: see slices.py."""

from tests.simulation.slices import FRESH, fixed_worlds, fresh_worlds
from tests.simulation.slices import seldom_collected as seldom_collected

test_fixed_worlds = fixed_worlds(2)
if FRESH:
    test_fresh_worlds = fresh_worlds(2)
