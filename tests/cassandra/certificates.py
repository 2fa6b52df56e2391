"""Certificates for tests, made by the openssl program."""
import itertools
import subprocess

KEYSTORE_PASSWORD = "changeit"


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {args[0]}: {done.stderr}"


def new_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    return path


class Certificate:
    """A certificate and its key, both PEM files."""

    def __init__(self, pem, key):
        self.pem, self.key = pem, key

    def keystore(self):
        """The same as a PKCS#12 file."""
        path = self.pem.with_suffix(".p12")
        openssl("pkcs12", "-export", "-name", "node", "-in", self.pem, "-inkey", self.key,
                "-passout", f"pass:{KEYSTORE_PASSWORD}", "-out", path)
        return path


class Authority:
    """A certificate authority; `pem` is what its clients believe."""

    def __init__(self, folder, name="test"):
        self.folder, self.name = folder, name
        self.numbers = itertools.count(1)
        folder.mkdir(parents=True, exist_ok=True)
        ca = self_signed(folder, f"{name}-ca", ["basicConstraints=critical,CA:TRUE",
                                                "keyUsage=critical,keyCertSign"])
        self.pem, self.key = ca.pem, ca.key

    def issue(self, names, days=30):
        """For subject alternative names such as IP:127.0.0.1; with days=-1 it expired yesterday."""
        stem = self.folder / f"{self.name}-{next(self.numbers)}"
        request, extensions = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        certificate = Certificate(stem.with_suffix(".pem"), new_key(stem.with_suffix(".key")))
        openssl("req", "-new", "-key", certificate.key, "-subj", "/CN=node", "-out", request)
        extensions.write_text(f"subjectAltName={','.join(names)}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key,
                "-set_serial", next(self.numbers), "-days", days, "-extfile", extensions,
                "-out", certificate.pem)
        return certificate


def self_signed(folder, name, extensions):
    """A certificate that vouches for itself; extensions as openssl's -addext takes them."""
    certificate = Certificate(folder / f"{name}.pem", new_key(folder / f"{name}.key"))
    added = [word for extension in extensions for word in ("-addext", extension)]
    openssl("req", "-x509", "-key", certificate.key, "-subj", f"/CN={name}", "-days", 30, *added,
            "-out", certificate.pem)
    return certificate
