"""A mail server of one page: it answers as it is told, and keeps what it took."""

import socket
import threading
from contextlib import suppress
from typing import TextIO


class MailServer:
    """Speaks enough of SMTP for one client at a time. `answers` has what it says in place of 250, by command."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.is_silent = False
        self.taken: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """Close all connections, and take no more."""
        with suppress(OSError):  # it was stopped before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            if not self.is_silent:
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rw", newline="\r\n", encoding="utf-8") as lines:
            self._say(lines, self.answers.get("HELLO", "220 ready"))
            for line in lines:
                command = line.split()[0].upper()
                self._say(lines, self._answer(command))
                if command == "DATA" and "DATA" not in self.answers:
                    self._take(lines)

    def _answer(self, command: str) -> str:
        usual = {"DATA": "354 go on", "QUIT": "221 bye"}
        return self.answers.get(command, usual.get(command, "250 yes"))

    def _take(self, lines: TextIO) -> None:
        text = []
        for line in lines:
            if line == ".\r\n":
                break
            text.append(line)
        refusal = self.answers.get("TEXT")
        if refusal is None:
            self.taken.append("".join(text))
        self._say(lines, refusal or "250 taken")

    def _say(self, lines: TextIO, answer: str) -> None:
        lines.write(f"{answer}\r\n")
        lines.flush()
