"""Ends what a run left running when the run itself cannot: it waits until its standard input ends.

python -m chaos.warden DIRECTORY
"""

import os
import signal
import sys
from pathlib import Path

from chaos.disk import Disk
from headrace.localkafka.process import BrokerProcess


def main(directory: Path) -> None:
    """Wait, then end the brokers and give the disks back; where that was done already it does nothing."""
    sys.stdin.read()
    for home in sorted((directory / "kafka").glob("broker-*")):
        broker = BrokerProcess(home)
        if pid := broker.pid():
            os.kill(pid, signal.SIGCONT)
            broker.kill()
    for name in ("journal", "eventlog"):
        Disk(directory / name, 0).unmount()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
