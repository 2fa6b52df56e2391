"""The little of CQL's native protocol (version 4) that the tests need to look into a node."""
import socket
import ssl
import struct

STARTUP, READY, AUTHENTICATE, QUERY, RESULT, AUTH_RESPONSE, AUTH_SUCCESS = 1, 2, 3, 7, 8, 15, 16
ROWS = 2
GLOBAL_TABLES_SPEC = 1


class CqlError(Exception):
    """What the node answered instead."""


def short_text(text):
    return struct.pack(">H", len(text)) + text.encode()


class Cql:
    """A connection to one node."""

    def __init__(self, host, port, login=None, ca=None, timeout_s=30):
        self.socket = socket.create_connection((host, port), timeout=timeout_s)
        try:
            if ca:
                context = ssl.create_default_context(cafile=str(ca))
                self.socket = context.wrap_socket(self.socket, server_hostname=host)
            version = short_text("CQL_VERSION") + short_text("3.0.0")
            if self.ask(STARTUP, struct.pack(">H", 1) + version)[0] == AUTHENTICATE:
                if not login:
                    raise CqlError("the node wants a login")
                token = ("\0" + "\0".join(login)).encode()
                self.ask(AUTH_RESPONSE, struct.pack(">i", len(token)) + token)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def __call__(self, statement, replicas=1):
        """The rows of the answer, each a list of bytes or None. `replicas`: must take part, 1-3."""
        query = statement.encode()
        body = struct.pack(">i", len(query)) + query + struct.pack(">HB", replicas, 0)
        opcode, answer = self.ask(QUERY, body)
        if opcode != RESULT or answer.take(">i") != ROWS:
            return []
        return answer.rows()

    def ask(self, opcode, body):
        self.socket.sendall(struct.pack(">BBhBi", 4, 0, 0, opcode, len(body)) + body)
        _, _, _, opcode, size = struct.unpack(">BBhBi", self.receive(9))
        answer = Answer(self.receive(size))
        if opcode == 0:
            raise CqlError(f"{answer.take('>i'):#06x} {answer.text()}")
        return opcode, answer

    def receive(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise CqlError("the node closed the connection")
            data += piece
        return data


class Answer:
    """The body of a frame, taken off from the front."""

    def __init__(self, body):
        self.body, self.at = body, 0

    def take(self, layout):
        (value,) = struct.unpack_from(layout, self.body, self.at)
        self.at += struct.calcsize(layout)
        return value

    def text(self):
        size = self.take(">H")
        self.at += size
        return self.body[self.at - size:self.at].decode()

    def cell(self):
        size = self.take(">i")
        if size < 0:
            return None
        self.at += size
        return self.body[self.at - size:self.at]

    def skip_type(self):
        kind = self.take(">H")
        if kind == 0:
            self.text()
        for _ in range({0x20: 1, 0x21: 2, 0x22: 1}.get(kind, 0)):  # list, map, set
            self.skip_type()

    def rows(self):
        flags, columns = self.take(">i"), self.take(">i")
        if flags & GLOBAL_TABLES_SPEC:
            self.text(), self.text()
        for _ in range(columns):
            if not flags & GLOBAL_TABLES_SPEC:
                self.text(), self.text()
            self.text()
            self.skip_type()
        return [[self.cell() for _ in range(columns)] for _ in range(self.take(">i"))]
