"""Keeps Debian's aws loaded and forks for each call: deploy.sh makes dozens, and loading takes most
of each. What runs is the same program; bin/aws sends it its arguments, environment and files.

Usage: /usr/bin/python3 cli_server.py SOCKET
"""
import json
import os
import socket
import sys
import threading

import awscli.clidriver

REQUEST_BYTES_MAX = 1 << 20


def receive(connection):
    """What bin/aws sent: its three standard files, and the rest as JSON."""
    first, files, _, _ = socket.recv_fds(connection, REQUEST_BYTES_MAX, 3)
    data = bytearray(first)
    while not data.endswith(b"\n"):
        piece = connection.recv(REQUEST_BYTES_MAX)
        if not piece:
            raise EOFError
        data += piece
    return json.loads(data), files


def run(request, files):
    """In the child: becomes the call, and ends with its exit code."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(request["folder"])
    own = os.environ["AWS_DATA_PATH"]  # awscli has set it when it was loaded.
    os.environ.clear()
    os.environ.update(request["variables"], AWS_DATA_PATH=own)
    endpoint = os.environ.get("AWS_ENDPOINT_URL")  # Debian's aws 2.9 does not know it yet.
    sys.argv = ["aws", *(["--endpoint-url", endpoint] if endpoint else []), *request["arguments"]]
    try:
        code = awscli.clidriver.main()
    except SystemExit as end:
        code = end.code
    except BaseException as error:
        print(f"aws: {error!r}", file=sys.stderr)
        code = 255
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def wait(connection, child):
    """Tells bin/aws the exit code."""
    _, status = os.waitpid(child, 0)
    try:
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    except OSError:
        pass  # It was ended meanwhile.
    connection.close()


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(64)
    while True:
        connection, _ = listener.accept()
        try:
            request, files = receive(connection)
        except (EOFError, OSError, ValueError):
            connection.close()
            continue
        child = os.fork()
        if child == 0:
            listener.close()
            connection.close()
            run(request, files)
        for file in files:
            os.close(file)
        threading.Thread(target=wait, args=(connection, child), daemon=True).start()


if __name__ == "__main__":
    main()
