#!/usr/bin/env python3
"""Counts the instructions of the hot paths, and fails where there are over 10 % more than recorded.

    bench/instructions.py [--build DIR]            compares with bench/instructions.txt
    bench/instructions.py [--build DIR] --record   writes that file

hot_paths.cc runs under valgrind's callgrind, one thread in work, on a fixed file. Left out are the
instructions inside of the C library, the dynamic loader and OpenSSL, as these pick their code by
the CPU, and RocksDB's threads in the background. What is counted depends on the compiler: record
anew when that changes, in a commit of its own.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RECORDED = HERE / "instructions.txt"
MORE_MAX = 0.10
FILE = ["--model", "household", "--meters", "10", "--days", "365", "--files", "1"]
LEFT_OUT = re.compile(r"/(libc|libm|libpthread|libcrypto|libssl|ld-linux[^/]*|ld)[-.][^/]*$")
POSITION = re.compile(r"[+*-]?\w* (\d+)$")
HEAD = """\
# Instructions of the hot paths of hot_paths.cc, without the C library and OpenSSL.
# Written by bench/instructions.py --record, with {compiler}.
"""


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    if done.returncode != 0:
        sys.exit(f"instructions: {command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def instructions_of(dump):
    """The name of a dump of callgrind, and the instructions of the objects that count."""
    objects, name, counts, is_call, total = {}, "", True, False, 0
    for line in dump.read_text().splitlines():
        if line.startswith("desc: Trigger: Client Request: "):
            name = line.rsplit(" ", 1)[1]
        elif found := re.match(r"ob=\((\d+)\)(?: (.*))?", line):
            number, path = found.groups()
            if path:
                objects[number] = path
            counts = not LEFT_OUT.search(objects[number])
        elif found := re.match(r"cob=\((\d+)\) (.*)", line):
            objects[found[1]] = found[2]
        elif line.startswith("calls="):
            is_call = True  # The next line is what the callee took, which is counted there.
        elif found := POSITION.match(line):
            if counts and not is_call:
                total += int(found[1])
            is_call = False
    return name, total


def count(build):
    """Path -> instructions."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run([build / "bench/make_files", *FILE, "--out", folder])
        out = folder / "callgrind"
        run(["valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes",
             f"--callgrind-out-file={out}", build / "bench/hot_paths",
             folder / "part-0000.csv", folder / "store"])
        # A dump a request and thread; -01 is the thread that does the work.
        dumps = [instructions_of(path) for path in sorted(folder.glob("callgrind.*-01"))]
        return {name: total for name, total in dumps if name}


def recorded():
    lines = [line.split() for line in RECORDED.read_text().splitlines()
             if line and not line.startswith("#")]
    return {name: int(total) for name, total in lines}


def record(counts):
    compiler = run(["g++", "--version"]).splitlines()[0]
    lines = [f"{name:18} {total:>9}\n" for name, total in counts.items()]
    RECORDED.write_text(HEAD.format(compiler=compiler) + "".join(lines))


def compare(counts, before):
    """Whether none has grown too much."""
    is_good = counts.keys() == before.keys()
    if not is_good:
        print(f"instructions: counted {list(counts)}, recorded {list(before)}: record anew")
    for name in (name for name in counts if name in before):
        more = counts[name] / before[name] - 1
        is_good &= more <= MORE_MAX
        print(f"{name:14} {counts[name]:>12,} instructions, {more:+.1%}"
              + (f": more than {MORE_MAX:.0%}" if more > MORE_MAX else ""))
    return is_good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    if (options.build / "build.ninja").exists():
        run(["ninja", "-C", options.build, "make_files", "hot_paths"],
            env=os.environ | {"CCACHE_BASEDIR": str(HERE.parent), "CCACHE_NOHASHDIR": "1"})
    counts = count(options.build)
    if options.record:
        record(counts)
    if not compare(counts, recorded()):
        sys.exit("instructions: a hot path does more than before. Make it cheaper, or, where that "
                 "is worth it, tell why in the commit and run bench/instructions.py --record")
    print(f"instructions: {len(counts)} hot paths, none over {MORE_MAX:.0%} above the recorded")


if __name__ == "__main__":
    main()
