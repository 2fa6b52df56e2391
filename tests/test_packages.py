"""What scripts/package.sh makes of the release build, and whether it is right for Debian."""
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import stat
import subprocess
import tarfile
import time

import pytest

from conftest import DEADLINE_S, ROOT, Server, binary
from test_help import VERBS

RELEASE = re.search(r'^VERSION_ID="(\d+)"$', pathlib.Path("/etc/os-release").read_text(),
                    re.MULTILINE)[1]
ROCKSDB = {"12": "librocksdb7.8", "13": "librocksdb9.10"}[RELEASE]
SERVICE = "usr/lib/systemd/system/meterline.service"
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/meterline",
    "zsh": "usr/share/zsh/vendor-completions/_meterline",
    "fish": "usr/share/fish/vendor_completions.d/meterline.fish",
}


def run(*command, **options):
    done = subprocess.run([str(each) for each in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


class Packages:
    """What the script made in a folder, with the .deb unpacked beside it."""

    def __init__(self, folder, umask):
        self.folder = folder
        run(ROOT / "scripts/package.sh", "--output", folder, binary(), umask=umask)
        (self.deb,) = folder.glob("*.deb")
        (self.tarball,) = folder.glob("*.tar.gz")
        (self.sbom,) = folder.glob("*.cdx.json")

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return Packages(tmp_path_factory.mktemp("packages"), 0o022)


@pytest.fixture(scope="module")
def root(packages, tmp_path_factory):
    """The .deb as it is on a system; what only dpkg sees is in DEBIAN."""
    folder = tmp_path_factory.mktemp("root") / "root"
    run("dpkg-deb", "--raw-extract", packages.deb, folder)
    return folder


def test_made_again_they_are_the_same_bytes(packages, tmp_path):
    again = Packages(tmp_path / "again", 0o077)
    assert again.files() == packages.files()


def test_sums_are_those_of_the_files(packages):
    told = dict(reversed(line.split("  "))
                for line in (packages.folder / "SHA256SUMS").read_text().splitlines())
    assert told == {name: hashlib.sha256(content).hexdigest()
                    for name, content in packages.files().items() if name != "SHA256SUMS"}


def test_the_deb_has_what_an_installed_system_needs(packages, root):
    files = {str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode)
             for path in root.rglob("*")
             if path.is_file() and "DEBIAN" not in path.relative_to(root).parts}
    assert files.pop("usr/bin/meterline") == 0o755
    assert set(files) == {
        "etc/meterline.toml", SERVICE, *COMPLETIONS.values(), "usr/share/man/man1/meterline.1.gz",
        "usr/share/doc/meterline/changelog.gz", "usr/share/doc/meterline/copyright",
        "usr/share/doc/meterline/sbom.cdx.json", "usr/share/lintian/overrides/meterline"}
    assert set(files.values()) == {0o644}
    listed = run("dpkg-deb", "--contents", packages.deb).splitlines()
    assert {line.split()[1] for line in listed} == {"root/root"}
    assert (root / "DEBIAN/conffiles").read_text() == "/etc/meterline.toml\n"
    run("md5sum", "--quiet", "--strict", "--check", "DEBIAN/md5sums", cwd=root)


def test_the_deb_is_of_this_debian(packages):
    version, depends = run("dpkg-deb", "--show", "--showformat", "${Version}\n${Depends}",
                           packages.deb).splitlines()
    assert version.endswith(f"+deb{RELEASE}")
    assert {"libc6", ROCKSDB, "tzdata"} <= set(re.findall(r"[a-z][\w.+-]*", depends))


def test_the_program_is_stripped_and_runs(root):
    program = root / "usr/bin/meterline"
    assert run(program, "--version") == run(binary(), "--version")
    headers = run("readelf", "--sections", "--wide", program)
    assert ".debug" not in headers and ".symtab" not in headers


def test_lintian_has_no_error_or_warning(packages):
    assert run("lintian", "--allow-root", "--fail-on", "error,warning", packages.deb) == ""


def test_the_unit_is_right_and_has_few_rights(root, tmp_path):
    # Its program is not at its place here; all else is verified as it is.
    unit = tmp_path / "meterline.service"
    unit.write_text((root / SERVICE).read_text().replace("/usr/bin/meterline", binary()))
    assert run("systemd-analyze", "verify", "--man=no", unit) == ""
    run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", unit)


def test_the_unit_starts_the_server_with_its_file_of_options(meterline, root):
    """By the line of the unit and the file as it is installed, but for a free port and a store."""
    (line,) = re.findall(r"^ExecStart=(.*)$", (root / SERVICE).read_text(), re.MULTILINE)
    program, *args = line.split()
    assert program == "/usr/bin/meterline"
    options = meterline.folder / "meterline.toml"
    text = (root / "etc/meterline.toml").read_text()
    assert 'listen = "127.0.0.1:8080"\n' in text
    options.write_text(text.replace(":8080", ":0").replace("/var/lib/meterline", str(
        meterline.folder / "state")))
    (meterline.folder / "state").mkdir()
    del meterline.env["METERLINE_STORE"]
    args = [str(options) if each == "/etc/meterline.toml" else each for each in args]
    server = Server(meterline.start(*args))
    try:
        assert server.json("/v1/meters")["meters"] == []
    finally:
        server.stop()
    assert (meterline.folder / "state/store").is_dir()


def test_every_option_that_the_file_shows_is_one(meterline, root):
    """Uncommented, each line is taken."""
    text = (root / "etc/meterline.toml").read_text()
    shown = re.sub(r"^# (?=[a-z-]+ = )", "", text, flags=re.MULTILINE)
    assert shown.count("\n# ") < text.count("\n# ")
    options = meterline.folder / "all.toml"
    options.write_text(shown.replace("/var/lib/meterline", str(meterline.folder)))
    meterline("store", "init")
    meterline("--config", options, "meters")


def test_the_man_page_tells_every_verb_and_is_well_formed(root):
    page = root / "usr/share/man/man1/meterline.1.gz"
    text = run("gzip", "-dc", page)
    told = set(re.findall(r"^\.SS (.*)$", text.replace("\\-", "-"), re.MULTILINE))
    assert set(VERBS) <= told
    for code in range(7):
        assert f".TP\n.B {code}\n" in text
    assert run("groff", "-man", "-Tutf8", "-ww", "-z", input=text) == ""


def help_of(verb):
    return run(binary(), *verb.split(), "--help")


def long_options(verb):
    return set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", help_of(verb), re.MULTILINE))


def bash_completes(root, lines):
    """What real bash offers for each command line, whose last word is under the cursor."""
    script = [f"source {root / COMPLETIONS['bash']}"]
    for line in lines:
        words = " ".join(f"'{word}'" for word in line.split(" "))
        script.append(f"COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
                      'COMPREPLY=(); _meterline; echo "${COMPREPLY[*]}"')
    return [set(line.split()) for line in run("bash", "-euc", "\n".join(script)).splitlines()]


def test_bash_completes_each_verb_and_each_long_option(root):
    options = bash_completes(root, [f"meterline {verb} --" for verb in VERBS])
    for verb, offered in zip(VERBS, options, strict=True):
        assert offered >= long_options(verb), verb
    starts = sorted({verb.rpartition(" ")[0] for verb in VERBS})
    below = bash_completes(root, [f"meterline {start} ".replace("  ", " ") for start in starts])
    for start, offered in zip(starts, below, strict=True):
        assert offered >= {verb.rpartition(" ")[2] for verb in VERBS
                           if verb.rpartition(" ")[0] == start}, start


def test_bash_completes_what_has_begun_and_leaves_files_to_itself(root):
    assert bash_completes(root, [
        "meterline por", "meterline --store x store che", "meterline meters --output j",
        "meterline ingest --feed ", "meterline nothing --xyz"]) == [
            {"portfolio"}, {"check"}, {"json"}, set(), set()]


def test_fish_completes_verbs_and_options(root):
    script = f"source {root / COMPLETIONS['fish']}; "
    for line, wanted in (("meterline store ", {"init", "prune", "check", "repair", "stats"}),
                         ("meterline portfolio --", long_options("portfolio"))):
        told = run("fish", "--no-config", "-c", f"{script}complete -C '{line}'")
        assert {each.split("\t")[0] for each in told.splitlines()} >= wanted


def zsh_shows(folder, line, last):
    """What zsh lists on a terminal after a Tab, up to the word that is waited for."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="dumb", FPATH_OWN=str(folder))
        os.execlp("zsh", "zsh", "-f", "-i")
    shown = ""
    try:
        os.write(terminal, b"fpath=($FPATH_OWN $fpath); autoload -Uz compinit; compinit -u -D; "
                 b"LISTMAX=1000; setopt list_rows_first; stty -echo; print 'rea''dy'\n")
        end = time.monotonic() + DEADLINE_S
        asked = False
        while last not in shown:
            assert select.select([terminal], [], [], end - time.monotonic())[0], shown
            shown += os.read(terminal, 65536).decode(errors="replace")
            if not asked and "ready" in shown:
                os.write(terminal, line.encode() + b"\t\t")
                asked, shown = True, ""
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
        os.close(terminal)
    return shown


def test_zsh_completes_verbs_and_options(root):
    folder = (root / COMPLETIONS["zsh"]).parent
    run("zsh", "-n", root / COMPLETIONS["zsh"])
    shown = zsh_shows(folder, "meterline store ", "Tell what of a damaged store")
    assert "prune" in shown and "Take out of the store" in shown
    assert "--tls-cert" in zsh_shows(folder, "meterline serve --t", "A folder of tariffs")


def test_the_tarball_runs_where_there_is_nothing_but_a_shell(packages, tmp_path):
    with tarfile.open(packages.tarball) as archive:
        assert {(each.uid, each.gid) for each in archive} == {(0, 0)}
    run("tar", "-xf", packages.tarball, "-C", tmp_path)
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "LICENSE", "lib", "meterline", "meterline.toml.example", "share"}
    assert (folder / "share/doc/meterline/licences" / ROCKSDB).is_file()
    (tmp_path / "bin").mkdir()
    shutil.copy("/bin/busybox", tmp_path / "bin/sh")
    (tmp_path / "bin/readlink").symlink_to("sh")
    (tmp_path / "bin/linked").symlink_to(f"../{folder.name}/meterline")
    for command in (f"/{folder.name}/meterline", "/bin/linked"):
        # The version tells of the time zones as well, which came along.
        assert run("chroot", tmp_path, command, "--version") == run(binary(), "--version")


def test_the_bill_of_materials_names_what_is_linked(packages, root):
    bill = json.loads(packages.sbom.read_text())
    assert bill["bomFormat"] == "CycloneDX" and bill["specVersion"] == "1.5"
    purls = [each["purl"] for each in bill["components"]]
    assert len(purls) == len(set(purls))
    named = {re.match(r"pkg:(\w+)/(?:debian/)?([^@]+)@.", purl).groups() for purl in purls}
    locked = re.findall(r'^name = "(.*)"\nversion = ".*"\nsource', (
        ROOT / "drivers/Cargo.lock").read_text(), re.MULTILINE)
    assert {("cargo", name) for name in locked} <= named and ("cargo", "parquet") in named
    assert {("deb", ROCKSDB), ("deb", "libexpat1-dev"), ("npm", "preact")} <= named
    assert ("npm", "esbuild") not in named
    assert (root / "usr/share/doc/meterline/sbom.cdx.json").read_bytes() == \
        packages.sbom.read_bytes()
