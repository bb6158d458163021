"""What the web server sends: whoever reads slowly makes no thread wait and fills no memory."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bank.outlet import CHUNK_BYTES, Outlet


@pytest.fixture
def outlet() -> Iterator[tuple[Outlet, socket.socket]]:
    """An outlet, and the socket of its peer."""
    ours, theirs = socket.socketpair()
    with closing(Outlet(ours)) as outlet, closing(theirs):
        yield outlet, theirs


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """A file of many chunks, none like another."""
    path = tmp_path / "file"
    path.write_bytes(b"".join(b"%07d\n" % number for number in range(CHUNK_BYTES)) + b"end")
    return path


def test_a_file_is_left_where_it_is_until_its_reader_takes_it(
    outlet: tuple[Outlet, socket.socket], large_file: Path
) -> None:
    sender, reader = outlet
    content = large_file.read_bytes()

    sender.sendall(b"head")
    with large_file.open("rb") as file:
        sender.sendfile(file, offset=1, count=len(content) - 2)
    held = len(sender.unsent)
    received = bytearray()
    while len(received) < 4 + len(content) - 2:
        received += reader.recv(100_000)
        sender.send_rest()

    assert 0 < held <= CHUNK_BYTES
    assert received == b"head" + content[1:-1]
    assert (len(sender.unsent), sender.file_bytes) == (0, 0)


def test_of_a_file_that_was_taken_nothing_is_left_open(outlet: tuple[Outlet, socket.socket], tmp_path: Path) -> None:
    sender, reader = outlet
    path = tmp_path / "small"
    path.write_bytes(b"small")
    before = set(os.listdir("/proc/self/fd"))

    with path.open("rb") as file:
        sender.sendfile(file)

    assert reader.recv(100) == b"small"
    assert set(os.listdir("/proc/self/fd")) == before


def test_of_a_connection_that_is_closed_nothing_is_left_open(large_file: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    ours, theirs = socket.socketpair()

    with closing(theirs), closing(Outlet(ours)) as sender, large_file.open("rb") as file:
        sender.sendfile(file)

    assert set(os.listdir("/proc/self/fd")) == before


def test_of_a_reader_who_has_gone_nothing_is_left_open(outlet: tuple[Outlet, socket.socket], large_file: Path) -> None:
    sender, _ = outlet
    before = set(os.listdir("/proc/self/fd"))

    with large_file.open("rb") as file:
        sender.sendfile(file)
    sender.drop_rest()

    assert (len(sender.unsent), sender.file_bytes) == (0, 0)
    assert set(os.listdir("/proc/self/fd")) == before
