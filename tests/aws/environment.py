"""Where scripts/install-deps.sh --test has put what Debian does not package."""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
FOLDER = CACHE / "meterline"
PYTHON_AWS = FOLDER / "python-aws"
PYTHON_CLIENT = FOLDER / "python-client"
PYTHON_LINT = FOLDER / "python-lint"
PYTHON_OPENAPI = FOLDER / "python-openapi"
EMULATOR = FOLDER / "aws-lambda-rie"


def checked(path):
    assert path.exists(), f"{path} is not there: run scripts/install-deps.sh --test"
    return path


def python():
    """The Python that has moto and boto3."""
    return checked(PYTHON_AWS / "bin/python")


def use_packages(of=PYTHON_AWS):
    """Makes a Python's packages importable here; what is here already comes first."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = str(checked(of / "lib" / version / "site-packages"))
    if folder not in sys.path:
        sys.path.append(folder)
