"""gunicorn as deploy/web starts it, and a caller who says on the wire exactly what a test wants."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path

from bank.embedded.ports import LOOPBACK, choose_ports
from tests.run.processes import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
THREADS = 2
MAX_BYTES = 200_000
MOST_CONNECTIONS = 100
PATIENCE_SECONDS = 5.0

LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
SIGN_IN = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


class Server:
    """gunicorn with one process of few threads, as deploy/web starts it."""

    def __init__(self, *, request_seconds: int = 60, **settings: str) -> None:
        self.port = choose_ports().valkey
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PORT": str(self.port),
            "WEB_WORKERS": "1",
            "WEB_THREADS": str(THREADS),
            "MAX_REQUEST_BYTES": str(MAX_BYTES),
            "MAX_UPLOAD_BYTES": str(2 * MAX_BYTES),
            "REQUEST_SECONDS": str(request_seconds),
        }
        command = ["deploy/web", "--worker-connections", str(MOST_CONNECTIONS)]
        self.process = subprocess.Popen(command, cwd=CHECKOUT, env=os.environ | environment | settings)
        wait_until(self.answers, what="the server")

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read shall be felt
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect((LOOPBACK, self.port))
        connection.sendall(sent)
        return connection

    def ask(self, sent: bytes, *, patience_seconds: float = PATIENCE_SECONDS) -> tuple[HTTPResponse, bytes]:
        with closing(self.connect(sent)) as connection:
            connection.settimeout(patience_seconds)
            return read_answer(connection)

    def answers(self) -> bool:
        try:
            return self.ask(LIVE + b"\r\n")[0].status == 200
        except OSError:
            return False

    def is_open(self) -> bool:
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return False
        return True

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def read_answer(connection: socket.socket) -> tuple[HTTPResponse, bytes]:
    answer = HTTPResponse(connection)
    answer.begin()
    return answer, answer.read()
