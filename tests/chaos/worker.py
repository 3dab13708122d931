"""`headrace deliver` in a process that ends with the run, and that a test may have planted a bug in.

python -m chaos.worker [--plant NAME] CONFIG
"""

import faulthandler
import signal
import sys

from chaos import plants
from chaos.parent import die_with_parent
from headrace.cli.main import main

if __name__ == "__main__":
    die_with_parent()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    *options, config = sys.argv[1:]
    if options:
        plants.PLANTS[options[1]]()
    sys.exit(main(["deliver", "--config", config]))
