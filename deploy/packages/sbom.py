#!/usr/bin/env python3
"""What the program is made of, as a bill of materials in CycloneDX's JSON.

    deploy/packages/sbom.py BINARY [LICENCES]    prints it; copies what Debian's packages say of
                                                 their copyright into the folder LICENCES

Libraries that are linked come from the packages that hold them, headers from those of
scripts/install-deps.sh, crates from drivers/Cargo.lock, and parts of the page from
web/package-lock.json. Only the linker knows which
locked crates it took: all are told.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def names_of(library):
    """Those that dpkg may know a library by: /lib and /usr/lib are one folder."""
    real = os.path.realpath(library)
    return {library, real, real.removeprefix("/usr"), f"/usr{library}"}


def linked_packages(binary):
    """The packages of Debian that hold the libraries that it asks for, and time zones."""
    libraries = re.findall(r"(/\S+) \(0x", run("ldd", binary))
    paths = sorted(path for each in libraries for path in names_of(each))
    # It fails for each name that is unknown, and prints the others.
    told = subprocess.run(["dpkg-query", "-S", *paths], capture_output=True, text=True,
                          check=False).stdout
    holders = {path: package.split(",")[0]
               for package, path in re.findall(r"^(\S+): (/\S+)$", told, re.MULTILINE)}
    found = {"tzdata"}
    for library in libraries:
        holder = [holders[path] for path in names_of(library) if path in holders]
        if not holder:
            raise SystemExit(f"sbom: no package of Debian holds {library}")
        found.add(holder[0])
    return sorted(found)


def header_packages():
    """Those that the build needs and that are installed: headers and static libraries."""
    wanted = run(ROOT / "scripts/install-deps.sh", "--list").split()
    installed = run("dpkg-query", "-W", "-f", "${binary:Package} ${db:Status-Status}\n")
    there = {line.split()[0].split(":")[0] for line in installed.splitlines()
             if line.endswith(" installed")}
    return [name for name in wanted if name.endswith("-dev") and name in there]


def debian_component(package):
    name, version, architecture = run(
        "dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}", package).split()
    system = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', pathlib.Path("/etc/os-release").read_text(),
                             re.MULTILINE))
    distribution = f"{system['ID']}-{system.get('VERSION_ID', 'sid')}"
    purl = (f"pkg:deb/debian/{name.replace('+', '%2B')}@{version.replace('+', '%2B')}"
            f"?arch={architecture}&distro={distribution}")
    return component(name, version, purl)


def component(name, version, purl, **more):
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            **more}


def crates():
    locked = tomllib.loads((ROOT / "drivers/Cargo.lock").read_text())["package"]
    for each in locked:
        if "source" in each:  # Our own crate has none.
            hashes = [{"alg": "SHA-256", "content": each["checksum"]}]
            yield component(each["name"], each["version"],
                            f"pkg:cargo/{each['name']}@{each['version']}", hashes=hashes)


def page_parts():
    """But the tool that builds the page, of which nothing is in it."""
    locked = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    for path, each in locked.items():
        name = path.removeprefix("node_modules/")
        if name and "esbuild" not in name:
            purl = f"pkg:npm/{name.replace('@', '%40')}@{each['version']}"
            licences = [{"expression": each["license"]}] if "license" in each else []
            yield component(name, each["version"], purl, licenses=licences)


def bill(binary):
    told = run(binary, "--version")
    version = told.split()[1]
    components = [debian_component(name) for name in linked_packages(binary) + header_packages()]
    if "cassandra" in told:  # Of a build without Rust, none is in it.
        components += crates()
    components += page_parts()
    components = sorted({each["purl"]: each for each in components}.values(),
                        key=lambda each: each["purl"])
    own = f"pkg:generic/meterline@{version}"
    moment = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))
    content = json.dumps([own, components])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", moment),
            "component": {"type": "application", "bom-ref": own, "name": "meterline",
                          "version": version, "purl": own,
                          "licenses": [{"license": {"id": "Apache-2.0"}}]},
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [each["purl"] for each in components]}],
    }


def copy_licences(binary, folder):
    folder.mkdir(parents=True)
    for package in linked_packages(binary):
        name = package.split(":")[0]
        shutil.copyfile(f"/usr/share/doc/{name}/copyright", folder / name)


def main():
    binary = sys.argv[1]
    if len(sys.argv) > 2:
        copy_licences(binary, pathlib.Path(sys.argv[2]))
    print(json.dumps(bill(binary), indent=1))


if __name__ == "__main__":
    main()
