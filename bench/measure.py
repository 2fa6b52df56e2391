"""What a process and its children took."""
import dataclasses
import os
import pathlib
import subprocess
import time


@dataclasses.dataclass
class Usage:
    cpu_s: float
    wall_s: float
    rss_mb: float
    output: str


def run(command, log, env=None):
    """Runs a command to its end. Its standard error, and all of it when it fails, goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    output = log.with_suffix(".out")
    with open(output, "wb") as out, open(log, "wb") as err:
        begin = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=err,
                                   env=os.environ | (env or {}))
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    text = output.read_text(errors="replace")
    if process.returncode != 0:
        raise SystemExit(f"failed ({process.returncode}): {' '.join(map(str, command))[:300]}\n"
                         f"{text[-1000:]}{log.read_text(errors='replace')[-2000:]}")
    return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, text)


def cpu_of(pid):
    """CPU seconds of a process that runs."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk_bytes(path):
    """Of all files below a folder."""
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())


def read_through(files):
    """Puts files into the page cache."""
    for path in files:
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass
