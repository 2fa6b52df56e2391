#!/usr/bin/env python3
"""Runs a command beside real Apache Cassandra, ends the nodes, and exits as the command did.

The command's environment says where the nodes are: METERLINE_TEST_CASSANDRA=HOST:PORT,HOST:PORT
and, as asked for, METERLINE_TEST_CASSANDRA_USER, _PASSWORD and _CA (a PEM file).
"""
import argparse
import os
import signal
import subprocess
import sys

from cassandra import Cluster


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--password", action="store_true")
    parser.add_argument("--heap", default="512m", help="of each node (default: %(default)s)")
    parser.add_argument("--full-jit", action="store_true",
                        help="for measurements: nodes that start slowly and then run fast")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("which command?")
    return options


def end(number, _):
    sys.exit(128 + number)  # By way of Cluster.close().


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, end)
    with Cluster(options.nodes, tls=options.tls, password=options.password, heap=options.heap,
                 jit="full" if options.full_jit else "quick") as cluster:
        command = ["setpriv", "--pdeathsig", "KILL", *options.command]
        code = subprocess.run(command, env=os.environ | cluster.environment(),
                              check=False).returncode
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
