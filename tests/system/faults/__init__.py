"""Faults: kills, broken disks, power loss, busy files, jumping clocks, bad receivers.

After each of them: every acknowledged execution is delivered once, or in a state that says why. What was in
flight at a kill or a crash may be delivered again; its history has an attempt that ended as `lost`.

CI runs a short form. `FAULT_ROUNDS=1000 pytest -s tests/system/faults` runs the long one and prints figures:
that many kills of a worker, twice as many power losses, and every single place for a broken disk.
"""

import os
from typing import Final

SHORT_ROUNDS: Final = 60
ROUNDS: Final = int(os.environ.get("FAULT_ROUNDS", SHORT_ROUNDS))
IS_LONG: Final = ROUNDS > SHORT_ROUNDS
