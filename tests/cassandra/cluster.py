"""Clusters of Cassandra nodes, each an ordinary process that never outlives this one."""
import atexit
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import string
import subprocess
import tempfile
import time

from . import jars
from .certificates import KEYSTORE_PASSWORD, Authority
from .cql import Cql, CqlError

HERE = pathlib.Path(__file__).parent
START_S = 180  # Far more than a node takes; a busy machine fails no test.
GRACE_S = 60
SHARED_MEMORY = pathlib.Path("/dev/shm")
DISK = pathlib.Path(tempfile.gettempdir())
ROOM_OF_A_NODE = 2 << 30
FOLDER_PREFIX = "meterline-cassandra-"
DEFAULT_LOGIN = ("cassandra", "cassandra")

EXPORTS = """java.base/java.lang.ref java.base/jdk.internal.misc
    java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry
    java.rmi/sun.rmi.server java.sql/java.sql jdk.attach/sun.tools.attach
    jdk.compiler/com.sun.tools.javac.file jdk.unsupported/sun.misc""".split()
OPENS = """java.base/java.io java.base/java.lang java.base/java.lang.module
    java.base/java.lang.reflect java.base/java.nio java.base/java.util
    java.base/java.util.concurrent java.base/jdk.internal.loader java.base/jdk.internal.math
    java.base/jdk.internal.module java.base/jdk.internal.ref java.base/jdk.internal.reflect
    java.base/jdk.internal.util.jar java.base/sun.nio.ch jdk.compiler/com.sun.tools.javac
    jdk.management/com.sun.management.internal""".split()
MODULES = [*(f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS),
           *(f"--add-opens={name}=ALL-UNNAMED" for name in OPENS)]
JVM = ["-XX:+UseSerialGC", "-Xss512k", "-XX:MaxDirectMemorySize=256m", "-XX:-UsePerfData",
       "-XX:+ExitOnOutOfMemoryError"]
JIT = {
    # For tests, that start a node and soon end it.
    "quick": ["-XX:TieredStopAtLevel=1", "-Xms128m"],
    # For measurements.
    "full": ["-XX:+AlwaysPreTouch"],
}
PROPERTIES = {
    "java.net.preferIPv4Stack": "true",
    "java.security.manager": "allow",  # Java 21 wants to be told; Cassandra installs one.
    "jdk.attach.allowAttachSelf": "true",
    "io.netty.tryReflectionSetAccessible": "true",
    "cassandra.skip_wait_for_gossip_to_settle": "0",
    "cassandra.ring_delay_ms": "2000",
    "cassandra.shutdown_announce_in_ms": "0",
    "cassandra.superuser_setup_delay_ms": "100",
    "cassandra.auth_bcrypt_gensalt_log2_rounds": "4",
    # Measures with 100,000 rows at every start by default, which takes longer than all the rest.
    "cassandra.memtable_row_overhead_computation_step": "1000",
}


def template(name, **values):
    return string.Template((HERE / name).read_text()).substitute(values)


def wait_for(condition, what, deadline_s=START_S):
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {deadline_s} s for {what()}"
        time.sleep(0.02)
    return value


def free_ports(hosts, count):
    """Outside the range for outgoing connections, so that they are free after a restart too."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(15_000, 32_000)
        try:
            for host in hosts:
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((host, port))
        except OSError:
            continue
        ports.append(port)
    return ports


class Node:
    """One node; it can be ended and started again on its data."""

    def __init__(self, cluster, number):
        self.cluster = cluster
        self.host = f"127.0.0.{number}"
        self.address = f"{self.host}:{cluster.port}"
        self.folder = cluster.folder / f"node{number}"
        self.process = None

    def configure(self, token, keystore):
        cluster = self.cluster
        self.folder.mkdir()
        text = template("cassandra.yaml", host=self.host, port=cluster.port, token=token,
                        storage_port=cluster.storage_port, folder=self.folder, seeds=cluster.seeds,
                        memtable=cluster.memtable)
        if cluster.login:
            text += template("login.yaml")
        if keystore:
            text += template("tls.yaml", keystore=keystore, keystore_password=KEYSTORE_PASSWORD)
        (self.folder / "cassandra.yaml").write_text(text)

    def command(self):
        properties = PROPERTIES | self.cluster.properties | {
            "cassandra.config": f"file://{self.folder}/cassandra.yaml",
            "cassandra.storagedir": self.folder,
            "java.io.tmpdir": self.cluster.scratch,
            "jna.tmpdir": self.cluster.scratch,
            "logback.configurationFile": f"file://{HERE}/logback.xml",
        }
        # setpriv: the kernel ends the node with this process, however that ends.
        return ["setpriv", "--pdeathsig", "KILL", *self.cluster.java,
                *(f"-D{name}={value}" for name, value in properties.items()),
                "org.apache.cassandra.service.CassandraDaemon"]

    def start(self):
        """Starts it without waiting for it."""
        assert not self.is_running
        with open(self.folder / "stdout.log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.folder, start_new_session=True)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def cql(self):
        """A connection to look into this node with."""
        return Cql(self.host, self.cluster.port, self.cluster.login, self.cluster.ca)

    def reaches(self, nodes_count):
        """Whether it answers clients, and knows that so many nodes are up."""
        assert self.is_running, f"{self.address} ended by itself:\n{self.log_tail()}"
        try:
            with self.cql() as cql:
                # This keyspace has a replica on every node.
                cql("SELECT * FROM system_distributed.view_build_status"
                    " WHERE keyspace_name = '' AND view_name = ''", replicas=nodes_count)
        except (OSError, CqlError):
            return False
        return True

    def log_tail(self, lines=40):
        text = ""
        for name in ("stdout.log", "system.log"):
            path = self.folder / name
            if path.exists():
                last = path.read_text(errors="replace").splitlines()[-lines:]
                text += f"--- {path}\n" + "\n".join(last) + "\n"
        return text

    def signal(self, number):
        assert self.is_running, f"{self.address} does not run:\n{self.log_tail()}"
        self.process.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """Ends it at once, paused or not."""
        if self.is_running:
            self.process.kill()
            self.process.wait(GRACE_S)

    def stop(self):
        """Lets it end in order, as an operator would."""
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) // 1024


class Cluster:
    """Nodes that hold the same keyspaces, running. To be ended by close() or a `with`.

    One node is made for many short tests: it forgets its tables when it ends.
    """

    def __init__(self, nodes=1, tls=False, password=False, heap="512m", jit="quick", classes=None,
                 memtable="96MiB", properties=None):
        assert 1 <= nodes <= 3, "a cluster of the tests has one, two or three nodes"
        self.nodes = []
        self.memtable = memtable
        self.folder = new_folder(data_parent(nodes))
        # For the libraries that a node unpacks, which no file system in memory need let it run.
        self.scratch = new_folder(DISK)
        atexit.register(self.close)
        hosts = [f"127.0.0.{number}" for number in range(1, nodes + 1)]
        self.port, self.storage_port = free_ports(hosts, 2)
        self.seeds = ",".join(f"{host}:{self.storage_port}" for host in hosts)
        self.login = DEFAULT_LOGIN if password else None
        self.ca, self.authority = None, None
        self.java = java_command(heap, jit, classes or shared_classes())
        self.properties = {f"cassandra.{keyspace}.default_rf": nodes for keyspace in (
            "system_auth", "system_distributed", "system_traces")}
        if nodes == 1:
            self.properties["cassandra.unsafesystem"] = "true"
        self.properties |= properties or {}
        self.nodes = [Node(self, number) for number in range(1, nodes + 1)]
        self.configure(hosts, tls)
        try:
            self.start()
            if password:
                self.make_login()
        except BaseException:
            self.close()
            raise

    def configure(self, hosts, tls):
        keystore = None
        if tls:
            self.authority = Authority(self.folder / "certificates")
            self.ca = self.authority.pem
            names = ["DNS:cassandra.test", *(f"IP:{host}" for host in hosts)]
            keystore = self.authority.issue(names).keystore()
        ring, count = 1 << 64, len(hosts)
        for index, node in enumerate(self.nodes):
            node.configure(ring * index // count - ring // 2 + ring // (2 * count), keystore)

    def start(self):
        """Starts the nodes that do not run, and waits until the cluster is whole."""
        for node in self.nodes:
            if not node.is_running:
                node.start()
        self.await_up()

    def await_up(self):
        """Waits until the nodes that run answer, and know of each other."""
        running = [node for node in self.nodes if node.is_running]
        for node in running:
            wait_for(lambda: node.reaches(len(running)),
                     lambda: f"{node.address} to answer:\n{node.log_tail()}")

    def restart(self, node):
        node.stop()
        self.start()

    def make_login(self):
        """A superuser with a password that nobody can have written into a log by chance."""
        login = ("meterline", f"p@ss/{secrets.token_hex(8)}:?#")
        wait_for(lambda: self.can_create(login), lambda: "the first superuser")
        self.login = login

    def can_create(self, login):
        """False as long as the node has not made its own superuser."""
        try:
            with self.nodes[0].cql() as cql:
                cql(f"CREATE ROLE IF NOT EXISTS {login[0]} WITH SUPERUSER = true AND LOGIN = true"
                    f" AND PASSWORD = '{login[1]}'")
        except CqlError:
            return False
        return True

    @property
    def addresses(self):
        return ",".join(node.address for node in self.nodes)

    def cql(self):
        """A connection to the first node that runs."""
        return next(node for node in self.nodes if node.is_running).cql()

    def environment(self):
        """For test programs that want a cluster."""
        values = {"METERLINE_TEST_CASSANDRA": self.addresses}
        if self.login:
            values |= {"METERLINE_TEST_CASSANDRA_USER": self.login[0],
                       "METERLINE_TEST_CASSANDRA_PASSWORD": self.login[1]}
        if self.ca:
            values["METERLINE_TEST_CASSANDRA_CA"] = str(self.ca)
        return values

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for node in self.nodes:
            node.kill()
        for folder in (self.folder, self.scratch):
            shutil.rmtree(folder, ignore_errors=True)
        atexit.unregister(self.close)


def data_parent(nodes):
    """Memory, where there is room."""
    has_room = (SHARED_MEMORY.is_dir()
                and shutil.disk_usage(SHARED_MEMORY).free >= nodes * ROOM_OF_A_NODE)
    return SHARED_MEMORY if has_room else DISK


def new_folder(parent):
    """What test runs that were killed left behind there is removed."""
    for old in parent.glob(FOLDER_PREFIX + "*"):
        owner = old.name.removeprefix(FOLDER_PREFIX).split("-")[0]
        if not pathlib.Path("/proc", owner).exists():
            shutil.rmtree(old, ignore_errors=True)
    return pathlib.Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=parent))


def java_command(heap, jit, classes):
    """`classes`: the option that says which loaded classes to map into memory, or where to keep."""
    return [jars.java()[0], *JVM, f"-Xms{heap}", f"-Xmx{heap}", *JIT[jit], classes, *MODULES,
            "-cp", jars.class_path()]


def shared_classes():
    """An archive of what a node loads, made once: with it, a node starts in half the time."""
    archive = jars.FOLDER / f"classes-{jars.java()[1]}.jsa"
    with jars.one_at_a_time():
        jars.fetch()
        if not archive.is_file():
            partial = archive.with_suffix(".partial")
            with Cluster(tls=True, password=True,
                         classes=f"-XX:ArchiveClassesAtExit={partial}") as cluster:
                (node,) = cluster.nodes
                node.stop()
                assert partial.is_file(), f"no archive of classes:\n{node.log_tail()}"
            partial.rename(archive)
    return f"-XX:SharedArchiveFile={archive}"
