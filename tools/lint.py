#!/usr/bin/env python3
"""Runs clang-tidy over all of src, on all cores, and remembers which files were clean.

Needs the compile commands of the dev preset (`cmake --preset dev`). A file is looked at again when
it, a header of the project that it reaches, .clang-tidy, its compile command or clang-tidy itself
has changed.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "dev"
DOWNLOADS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache",
                         "meterline")
CACHE = DOWNLOADS / "clang-tidy"
# Debian's, of LLVM 16, looks at every declaration of the system's headers, which takes three times
# as long.
CLANG_TIDY = str(DOWNLOADS / "python-tools" / "bin" / "clang-tidy")
# Flags that clang does not take as g++ does, and those that change nothing that is looked for.
# Warnings are g++'s part: clang's -Wconversion, for one, means something else.
FLAGS_LEFT_OUT = re.compile(r"-W.*|-f(no-)?sanitize.*|-O.|-g.?")
# .clang-tidy says why the analyzer is a shallow one.
ANALYZER = [f"--extra-arg={argument}"
            for argument in ("-Xclang", "-analyzer-config", "-Xclang", "mode=shallow")]
# .clang-tidy says why tests have a list of their own.
CHECKS_FOR_TESTS = "--checks=-*," + ",".join("""
    bugprone-argument-comment bugprone-assert-side-effect bugprone-dangling-handle
    bugprone-sizeof-expression bugprone-unused-raii bugprone-unused-return-value
    bugprone-use-after-move cppcoreguidelines-slicing cppcoreguidelines-virtual-class-destructor
    misc-definitions-in-headers misc-unused-using-decls modernize-use-override
    readability-function-size readability-identifier-naming""".split())


def hash_of(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def compile_commands():
    """Source file -> its compiler arguments, without what differs from clone to clone."""
    database = json.loads((BUILD / "compile_commands.json").read_text())
    commands = {}
    for entry in database:
        path = pathlib.Path(entry["file"])
        if path.is_relative_to(ROOT / "src"):
            arguments = [a for a in shlex.split(entry["command"]) if not FLAGS_LEFT_OUT.match(a)]
            commands[path] = arguments
    for path in other_builds(commands):
        neighbour = next(p for p in commands if p.parent == path.parent)
        commands[path] = [a.replace(neighbour.name, path.name) for a in commands[neighbour]]
    return commands


def other_builds(commands):
    """What only other presets compile, but which has neighbours in this one."""
    folders = {path.parent for path in commands}
    for path in sorted((ROOT / "src").rglob("*.cc")):
        build_file = path.parent / "CMakeLists.txt"
        if path not in commands and path.parent in folders and build_file.exists() and \
                re.search(rf"\b{re.escape(path.name)}\b", build_file.read_text()):
            yield path


def shared_hash():
    """Of what every file's result depends on."""
    version = subprocess.run([CLANG_TIDY, "--version"], check=True, capture_output=True).stdout
    options = " ".join([CHECKS_FOR_TESTS, *ANALYZER])
    return hash_of(version, options.encode(), (ROOT / ".clang-tidy").read_bytes())


@functools.cache
def own_includes(path):
    """The project's headers that a file names itself."""
    names = re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)
    return [header for name in names if (header := ROOT / "src" / name).exists()]


def text_with_headers(path):
    """The file and all the project's headers that it reaches, as names and bytes."""
    reached, waiting = set(), [path]
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            waiting.extend(own_includes(file))
    return [part for file in sorted(reached)
            for part in (str(file.relative_to(ROOT)).encode(), file.read_bytes())]


def write_database(commands):
    folder = BUILD / "lint"
    folder.mkdir(exist_ok=True)
    entries = [{"file": str(path), "directory": str(BUILD), "arguments": arguments}
               for path, arguments in commands.items()]
    (folder / "compile_commands.json").write_text(json.dumps(entries))
    return folder


def check(path, database):
    is_test = path.stem.endswith("_test") or "testing" in path.parts
    options = [CHECKS_FOR_TESTS] if is_test else ANALYZER
    run = subprocess.run([CLANG_TIDY, "-p", str(database), "--quiet", *options, str(path)],
                         capture_output=True, text=True, check=False)
    return run.returncode, run.stdout


def main():
    if not (BUILD / "compile_commands.json").exists():
        print("lint: run `cmake --preset dev` first", file=sys.stderr)
        return 1
    commands = compile_commands()
    sources = {path for path in (ROOT / "src").rglob("*.cc")
               if not path.stem.endswith(("_bench", "_fuzz"))}
    unknown = sorted(sources - commands.keys())
    for path in unknown:
        print(f"{path.relative_to(ROOT)}: in no CMakeLists.txt, so nothing compiles it")

    CACHE.mkdir(parents=True, exist_ok=True)
    shared = shared_hash()
    marks = {}
    for path in sorted(sources & commands.keys()):
        arguments = " ".join(commands[path]).replace(str(ROOT), "")
        key = hash_of(shared.encode(), arguments.encode(), *text_with_headers(path))
        marks[path] = CACHE / key
    todo = [path for path, mark in marks.items() if not mark.exists()]

    database = write_database(commands)
    errors = len(unknown)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (status, text) in zip(todo, pool.map(lambda p: check(p, database), todo)):
            if status == 0:
                marks[path].touch()
                continue
            errors += max(1, text.count(" error: "))
            print(text.replace(str(ROOT) + "/", ""), end="", flush=True)
    print(f"clang-tidy: {len(marks)} files, {len(marks) - len(todo)} from cache, {errors} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
