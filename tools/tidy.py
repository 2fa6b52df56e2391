#!/usr/bin/env python3
"""Fails when the tree breaks a rule that no compiler checks. Runs as the ctest `tidy`."""
import pathlib
import re
import sys

# Layer (a folder under src/) -> layers it may include besides itself. Tests may include anything.
ALLOWED = {
    "core": set(),
    "formats": {"core"},
    "store": {"core"},
    "store/memory": {"core", "store"},
    "store/counting": {"core", "store"},
    "store/visible": {"core", "store"},
    "store/backup": {"core", "store"},
    "store/rocksdb": {"core", "store", "store/backup"},
    "store/relay": {"core", "store"},
    "store/cassandra": {"core", "store"},
    "source": {"core"},
    "source/disk": {"core", "source"},
    "source/s3": {"core", "source", "aws"},
    "aws": {"core", "source"},
    "ingest": {"core", "formats", "store", "source"},
    "query": {"core", "store"},
    "tables": {"core", "store"},
    "access": {"core"},
    "api": {"core", "access", "store", "store/visible", "source", "ingest", "query", "tables"},
    "http": {"core", "api", "source", "store", "telemetry"},
    "telemetry": {"core"},
    "events": {"core", "store", "source", "source/s3", "aws", "ingest", "telemetry"},
    "lambda": {"core", "api", "http", "ingest", "store", "source", "source/s3", "aws", "events",
               "telemetry"},
    "cli": {"core", "formats", "access", "api", "ingest", "query", "store", "store/backup",
            "store/counting", "store/visible", "source", "source/disk", "source/s3", "tables",
            "http", "aws", "events", "lambda", "telemetry"},
    "testing": {"core", "formats", "store", "store/cassandra", "source", "query"},
}
ALLOWED["app"] = set(ALLOWED) - {"testing"}

COLUMNS_MAX, FILE_LINES_MAX = 100, 800
TEST_STEMS = ("_test", "_bench", "_fuzz")
TEST_HEADERS = ("gtest/", "gmock/", "rapidcheck", "benchmark/", "testing/")
SKIPPED_FOLDERS = {"build", "node_modules", "__pycache__", "meterline-data", "meterline-demo"}

ANYWHERE, PRODUCTION, TESTS = "anywhere", "production", "tests"
PURE = {"core", "formats", "store", "store/backup", "store/memory", "store/counting",
        "store/visible", "store/rocksdb", "store/relay", "store/cassandra", "query"}
TERMINAL = {"cli", "app"}
# Pattern, where it is banned, layers it is banned in, what to write instead. A line that has to
# have it says why, in a comment behind it that begins with `Allowed: `.
BANNED = [
    (r"\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b", ANYWHERE, ALLOWED.keys(), "a finished change"),
    (r"\busing namespace std;", ANYWHERE, ALLOWED.keys(), "qualified names"),
    (r"\bstd::regex\b", ANYWHERE, ALLOWED.keys(), "a hand-written scanner"),
    (r"\b(double|float)\b(?! quote)", PRODUCTION, PURE, "Decimal or an integer: energy is exact"),
    (r"\bstd::(cout|cerr)\b|\bprintf\(", PRODUCTION, ALLOWED.keys() - TERMINAL,
     "a result: only cli and app write to the terminal"),
    (r"\b(system|steady)_clock::now\b", PRODUCTION, {"core", "formats", "query"},
     "a time given by the caller"),
    (r"\b(fs|filesystem)::(absolute|canonical|copy|copy_file|create_directories|create_directory|"
     r"create_hard_link|current_path|exists|file_size|is_directory|is_empty|is_regular_file|"
     r"last_write_time|read_symlink|relative|remove|remove_all|rename|resize_file|space|status|"
     r"temp_directory_path|weakly_canonical)\((?![^;]*\b(error|none|ignored)\))", PRODUCTION,
     ALLOWED.keys(), "its twin that takes a std::error_code and does not throw"),
    (r"\bsleep_(for|until)\b|\busleep\(", TESTS, ALLOWED.keys(), "waiting for what should happen"),
    (r"\bGTEST_SKIP\b|\bDISABLED_", TESTS, ALLOWED.keys(), "a test that runs"),
]
INCLUDE = re.compile(r'^\s*#\s*include (["<])([^">]+)[">]')
FIXED_WIDTH = re.compile(r"\bstd::u?int\d+_t\b")
NAMESPACE = re.compile(r"^namespace (meterline[\w:]*) \{", re.MULTILINE)
LAYER_CALL = re.compile(r"^meterline_layer\((\w+)", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")


def layer_of(name):
    """The layer of a path under src/; empty when it belongs to none."""
    folders = name.split("/")[:-1]
    while folders and "/".join(folders) not in ALLOWED:
        folders.pop()
    return "/".join(folders)


def is_test(path):
    return path.stem.endswith(TEST_STEMS)


def include_error(line, layer):
    found = INCLUDE.match(line)
    if not found:
        return None
    quote, header = found.groups()
    if layer != "testing" and header.startswith(TEST_HEADERS):
        return f"only tests may include {header}"
    if quote == '"' and layer_of(header) not in ALLOWED[layer] | {layer}:
        return f"{layer} may not include {header}"
    return None


def line_errors(path, layer, line):
    if not is_test(path):
        if error := include_error(line, layer):
            yield error
    if "// Allowed: " in line:
        return
    for pattern, where, layers, instead in BANNED:
        if layer not in layers:
            continue
        if where != ANYWHERE and (where == TESTS) != (is_test(path) or layer == "testing"):
            continue
        text = line if where == ANYWHERE else line.split("//")[0]
        if found := re.search(pattern, text):
            yield f"{found[0]!r} is banned here, use {instead}"


def namespace_of(layer):
    """The folder's, but that all sources are in one, and core in the one around all."""
    if layer.startswith("source/"):
        return "meterline::source"
    return "meterline" if layer == "core" else "meterline::" + layer.replace("/", "::")


def namespace_error(path, layer):
    own = namespace_of(layer)
    opened = NAMESPACE.findall(path.read_text(encoding="utf-8"))
    if not opened or any(name == own or name.startswith(own + "::") for name in opened):
        return None
    return f"opens the namespace {opened[0]}, wanted {own}"


def check_source(path, name):
    """Rules for C++ files under src/."""
    layer = layer_of(name)
    lines = path.read_text(encoding="utf-8").splitlines()
    if not layer:
        yield 1, "this folder is not a layer in tools/tidy.py"
        return
    if path.suffix == ".h" and "#pragma once" not in lines:
        yield 1, "no #pragma once"
    if path.suffix == ".h" and "#include <cstdint>" not in lines and any(
            FIXED_WIDTH.search(line.split("//")[0]) for line in lines):
        yield 1, "no #include <cstdint>, which not every standard library brings along"
    if error := namespace_error(path, layer):
        yield 1, error
    for number, line in enumerate(lines, 1):
        for error in line_errors(path, layer, line):
            yield number, error


def check_size(path):
    """Rules for every file that people read as code."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield 1, f"{len(lines)} lines, at most {FILE_LINES_MAX}"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"


def check_links(root, path):
    text = CODE_BLOCK.sub(lambda block: "\n" * block[0].count("\n"),
                          path.read_text(encoding="utf-8"))
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            file = target.split("#")[0]
            if not file or re.match(r"[a-z]+:", file):
                continue
            base = root if file.startswith("/") else path.parent
            if not (base / file.lstrip("/")).exists():
                yield number, f"the link {target} leads nowhere"


def check_layers(src):
    """Every layer is a folder with a CMakeLists.txt of its own, and the other way round."""
    for layer in ALLOWED:
        file = src / layer / "CMakeLists.txt"
        if not file.exists():
            yield f"src/{layer}", "a layer in tools/tidy.py, but it has no CMakeLists.txt"
            continue
        want = layer.replace("/", "_")
        if LAYER_CALL.findall(file.read_text()) != [want]:
            yield f"src/{layer}/CMakeLists.txt", f"wanted meterline_layer({want}, once"
    for file in sorted(src.rglob("CMakeLists.txt")):
        layer = file.parent.relative_to(src).as_posix()
        if layer != "." and layer not in ALLOWED:
            yield f"src/{layer}", "has a CMakeLists.txt, but is not a layer in tools/tidy.py"


def files_below(root):
    for path in sorted(root.iterdir()):
        if path.is_dir():
            if path.name not in SKIPPED_FOLDERS and not path.name.startswith("."):
                yield from files_below(path)
        elif path.is_file():
            yield path


def check_tree(root):
    """All errors of the tree, and how many files were looked at."""
    errors = [f"{where}: {text}" for where, text in check_layers(root / "src")]
    files = 0
    for path in files_below(root):
        name = path.relative_to(root).as_posix()
        found = []
        if name.startswith("src/") and path.suffix in (".h", ".cc"):
            found += check_source(path, name.removeprefix("src/"))
        if path.suffix in (".h", ".cc", ".py", ".sh", ".cmake") or path.name == "CMakeLists.txt":
            found += check_size(path)
        elif path.suffix == ".md":
            found += check_links(root, path)
        else:
            continue
        files += 1
        errors += [f"{name}:{number}: {text}" for number, text in found]
    return errors, files


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    errors, files = check_tree(root)
    if errors:
        print("\n".join(errors))
    print(f"tidy: {files} files, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
