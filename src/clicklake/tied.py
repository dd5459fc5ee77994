"""`python -m clicklake.tied up ...`: clicklake, stopped as soon as nobody holds the other end of its standard input.

So it never outlives whoever started it, not even one that was killed: the system closes a dead process's pipes.
"""

import os
import signal
import sys
import threading
import time

from clicklake.__main__ import main

_STOP_SECONDS = 5.0


def _stop_with_the_input() -> None:
    while os.read(0, 1024):  # sys.stdin has a lock, which a daemon thread would still hold when Python ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_stop_with_the_input, name="tie", daemon=True).start()
    sys.exit(main())
