"""Root file systems of functions: of an image out of the registry, or around the files of a zip."""
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import threading
import urllib.request
import zipfile

MOUNT_POINTS = ("proc", "dev", "tmp")
MANIFESTS = ", ".join(("application/vnd.docker.distribution.manifest.v2+json",
                       "application/vnd.oci.image.manifest.v1+json"))
POLICY = {"default": [{"type": "insecureAcceptAnything"}]}


class Roots:
    """Unpacks each once. A root is its folder, and the command that runs in it."""

    def __init__(self, settings):
        self.registry = settings["registry"]
        self.folder = pathlib.Path(settings["folder"]) / "roots"
        self.folder.mkdir()
        self.policy = self.folder / "policy.json"
        self.policy.write_text(json.dumps(POLICY))
        self.lock = threading.Lock()
        self.known = {}

    def of(self, function):
        key = (function.package_type, function.code_sha_256, function.handler)
        with self.lock:
            if key not in self.known:
                make = self.of_image if function.package_type == "Image" else self.of_zip
                self.known[key] = make(function)
            return self.known[key]

    def new_folder(self):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o755)
        return folder

    def of_image(self, function):
        image, root = self.new_folder(), self.new_folder()
        subprocess.run(
            ["skopeo", "--policy", self.policy, "copy", "-q", "--src-tls-verify=false",
             f"docker://{function.code['ImageUri']}", f"dir:{image}"], check=True)
        manifest = json.loads((image / "manifest.json").read_text())
        for layer in manifest["layers"]:
            unpack_layer(image / layer["digest"].split(":")[1], root)
        config = json.loads((image / manifest["config"]["digest"].split(":")[1]).read_text())
        config = config["config"]
        shutil.rmtree(image)
        mount_points(root)
        entry = function.image_config.entry_point or config.get("Entrypoint") or []
        command = function.image_config.cmd or config.get("Cmd") or []
        variables = dict(each.split("=", 1) for each in config.get("Env") or [])
        return root, [*entry, *command], variables

    def of_zip(self, function):
        """Amazon Linux has a shell for bootstrap; nothing else of it is there."""
        root = self.new_folder()
        task = root / "var/task"
        with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
            for entry in archive.infolist():
                path = pathlib.Path(archive.extract(entry, task))
                path.chmod(entry.external_attr >> 16 & 0o777 or 0o644)
        (root / "bin").mkdir()
        shutil.copy2(shutil.which("busybox"), root / "bin/sh")
        mount_points(root)
        return root, ["/var/task/bootstrap"], {"LAMBDA_TASK_ROOT": "/var/task",
                                               "_HANDLER": function.handler}

    def digest(self, uri):
        """Of the image in the registry that a tag or a digest names; None if it is not there."""
        host, _, rest = uri.partition("/")
        if host != self.registry:
            return None
        name, mark, reference = (rest.partition("@") if "@" in rest else rest.partition(":"))
        return manifest_of(self.registry, name, reference if mark else "latest")[1]


def manifest_of(registry, name, reference):
    """The manifest's text and digest, or twice None."""
    request = urllib.request.Request(f"http://{registry}/v2/{name}/manifests/{reference}",
                                     headers={"Accept": MANIFESTS})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode(), answer.headers["Docker-Content-Digest"]
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return None, None


def mount_points(root):
    for name in MOUNT_POINTS:
        (root / name).mkdir(exist_ok=True)
    for path, _, _ in os.walk(root):  # The function's user has to read all of it.
        os.chmod(path, os.stat(path).st_mode | 0o555)


def unpack_layer(blob, root):
    """A layer over those before it; `.wh.NAME` in it takes a file away."""
    with tarfile.open(blob) as layer:
        for member in layer:
            path = root / member.name
            if path.name.startswith(".wh."):
                hidden = path.with_name(path.name.removeprefix(".wh."))
                shutil.rmtree(hidden) if hidden.is_dir() else hidden.unlink()
            else:
                layer.extract(member, root, numeric_owner=True)
