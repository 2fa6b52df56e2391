"""The page: its types, and what its users do with it in a real browser (tests/page/)."""
import os
import re
import subprocess
import tempfile

import pytest

from conftest import ROOT, binary

TESTS = ROOT / "tests/page"
DEADLINE_S = 900  # Of all of it; each step in it has its own.


@pytest.fixture(scope="module")
def modules():
    folder = TESTS / "node_modules"
    assert folder.is_dir(), f"{folder} is not there: run scripts/install-deps.sh --test"
    return folder


def test_its_types(modules):
    compiler = modules / "typescript/bin/tsc"
    done = subprocess.run(["node", compiler, "-p", ROOT / "web"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stdout
    for file in sorted((ROOT / "web/src").glob("*.ts*")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            assert not re.search(r"[:<|] *any\b|as any|@ts-", line), f"{file.name}:{number}"
            assert len(line) <= 100, f"{file.name}:{number}"


@pytest.fixture
def short_folder():
    """The browser makes a socket in it, whose path may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="page-", dir="/tmp",
                                     ignore_cleanup_errors=True) as made:
        yield made


def test_what_its_users_do(modules, short_folder):
    env = {**os.environ, "METERLINE_BINARY": binary(), "TMPDIR": short_folder}
    done = subprocess.run(["node", "--test", "--test-reporter=spec", TESTS / "page.test.mjs"],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                          timeout=DEADLINE_S)
    print(done.stdout)
    assert done.returncode == 0
    counts = dict(re.findall(r"^\S+ (pass|fail|skipped|todo|cancelled) (\d+)$", done.stdout,
                             re.MULTILINE))
    assert int(counts["pass"]) > 40 and counts["skipped"] == counts["todo"] == "0", counts
