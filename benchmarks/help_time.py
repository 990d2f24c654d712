"""How long a person waits for `archiver --help`, beside the bare interpreter and two peers."""

import argparse
import statistics
import sys

from rounds import ARCHIVER, PEERS, measure, table

AIM_MS = 150
PYTHON = "python3 -c pass"
HELP = "archiver --help"
COMMANDS = {
    PYTHON: [sys.executable, "-c", "pass"],
    HELP: [str(ARCHIVER / "archiver"), "--help"],
    "warcio --help": [str(PEERS / "warcio"), "--help"],
    "wacz --help": [str(PEERS / "wacz"), "--help"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    times = measure(COMMANDS, rounds)
    verdict = "met" if statistics.median(times[HELP]) < AIM_MS else "MISSED"
    print(table(times, PYTHON))
    print(f"{rounds} rounds, the commands in turn. Aim: {HELP} under {AIM_MS} ms: {verdict}.")


if __name__ == "__main__":
    main()
