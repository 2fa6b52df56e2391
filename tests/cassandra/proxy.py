"""A TLS server with a certificate of one's choice in front of a node."""
import contextlib
import socket
import ssl
import threading


class TlsProxy:
    """Passes bytes between TLS clients and a node, whose own certificate `ca` has issued."""

    def __init__(self, node, ca, certificate):
        self.node = node
        self.to_node = ssl.create_default_context(cafile=str(ca))
        self.to_client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.to_client.load_cert_chain(certificate.pem, certificate.key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # Closed.
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, plain):
        with contextlib.suppress(OSError), plain:
            with self.to_client.wrap_socket(plain, server_side=True) as client:
                raw = socket.create_connection(self.node.address.split(":"))
                with self.to_node.wrap_socket(raw, server_hostname=self.node.host) as node:
                    back = threading.Thread(target=copy, args=(node, client), daemon=True)
                    back.start()
                    copy(client, node)
                    back.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def copy(source, target):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
