"""Cassandra's jars: fetched once by Maven, and kept in the user's cache."""
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess

VERSION = "5.0.9"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
FOLDER = CACHE / "meterline" / f"cassandra-{VERSION}"
POM = pathlib.Path(__file__).with_name("pom.xml")


@contextlib.contextmanager
def one_at_a_time():
    """Test programs that start together fetch once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch(attempts=3):
    """The folder of the jars, complete or not there at all."""
    jars = FOLDER / "jars"
    if jars.is_dir():
        return jars
    assert f"<version>{VERSION}</version>" in POM.read_text(), f"{POM} has another version"
    partial = FOLDER / "partial"
    command = ["mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies",
               "-DincludeScope=runtime", f"-DoutputDirectory={partial}"]
    for attempt in range(1, attempts + 1):
        shutil.rmtree(partial, ignore_errors=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode == 0:
            break
        assert attempt < attempts, f"Maven cannot fetch Cassandra {VERSION}:\n{done.stdout}"
    partial.rename(jars)
    return jars


def class_path():
    return ":".join(map(str, sorted(fetch().glob("*.jar"))))


def java():
    """The path of a Java 17 or 21, Debian's if it is there, and its full version. Cassandra is
    tested by its makers on 17; Debian 13 has 21, on which it starts as well."""
    debian = [path for version in ("17", "21") for path in
              pathlib.Path("/usr/lib/jvm").glob(f"java-{version}-openjdk-*/bin/java")]
    path = str(debian[0]) if debian else shutil.which("java")
    assert path, "no java: run scripts/install-deps.sh --test"
    text = subprocess.run([path, "-version"], capture_output=True, text=True, check=True).stderr
    found = re.search(r'version "((?:17|21)[^"]*)".*?build ([^,)]+)', text, re.DOTALL)
    assert found, f"Cassandra {VERSION} needs Java 17 or 21; {path} is\n{text}"
    return path, found.group(2)
