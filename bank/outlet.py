"""The web server's end of a caller's connection, which makes no thread wait for who reads slowly."""

import os
import socket
from contextlib import suppress
from typing import Any

CHUNK_BYTES = 64 * 1024
"""How much is read at once, from a caller or from a file."""


class Outlet(socket.socket):
    """A socket that lets no thread wait: what its peer does not take at once stays in `unsent`.

    Of a file, `unsent` is a chunk, which is replaced once it is sent; the rest stays in the file.
    """

    def __init__(self, accepted: socket.socket) -> None:
        """Take over a socket."""
        super().__init__(fileno=accepted.detach())
        self.unsent = bytearray()
        self._file: int | None = None
        self._file_left = range(0)

    @property
    def file_bytes(self) -> int:
        """How much of a file is still to be read."""
        return len(self._file_left)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send what the peer takes, in whatever mode the socket is; keep the rest."""
        self.unsent += data
        self.send_rest()

    def send_rest(self) -> None:
        """Send as much of what is unsent as the peer takes now."""
        with suppress(BlockingIOError):
            while self.unsent or self._read_file():
                del self.unsent[: self.send(self.unsent, socket.MSG_DONTWAIT)]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send what the peer takes of `count` bytes of a file; keep the file for the rest, its owner may close it."""
        size = os.fstat(file.fileno()).st_size - offset if count is None else count
        self._file, self._file_left = os.dup(file.fileno()), range(offset, offset + size)
        self.send_rest()
        return size

    def drop_rest(self) -> None:
        """Forget what is unsent."""
        self.unsent.clear()
        self._file_left = range(0)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def close(self) -> None:
        """Close the socket, and the file of which it still had to send something."""
        self.drop_rest()
        super().close()

    def _read_file(self) -> bool:
        """Make the next chunk of the file unsent; return False if there is none."""
        if self._file is not None:
            self.unsent += os.pread(self._file, min(CHUNK_BYTES, self.file_bytes), self._file_left.start)
            self._file_left = self._file_left[len(self.unsent) :]
        if not self.unsent:
            self.drop_rest()
        return bool(self.unsent)
