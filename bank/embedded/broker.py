"""A broker that speaks Kafka's protocol on one loopback port: librdkafka's mock cluster behind a forwarder.

It keeps messages in memory only, up to 5 MB or 100,000 a partition; a new one has a new cluster id, by which
the relay knows to publish again what no consumer has acknowledged. For one machine and tests only.

    python -m bank.embedded.broker PORT
"""

import asyncio
import ctypes
import sys
from contextlib import suppress
from pathlib import Path

from confluent_kafka import cimpl

from bank.embedded.launch import tied_to_parent
from bank.embedded.ports import LOOPBACK, accepts_connections
from bank.embedded.program import Program

API_VERSION = "2.3"  # the mock's ApiVersions answer is too new for kafka-python to negotiate with
BROKER_ID = 1
REBALANCE_DELAY_MS = 200  # the mock waits 3 s for a group's further members, for nobody's good here
CHUNK_BYTES = 64 * 1024
_PRODUCER = 0


class MockBroker:
    """The broker as a program to supervise."""

    api_version = API_VERSION

    def __init__(self, *, port: int, log: Path | None) -> None:
        """Describe the broker; `log` as for `Program`."""
        self._port = port
        self._log = log

    def address(self) -> str:
        """Return the address for KAFKA_BOOTSTRAP_SERVERS."""
        return f"{LOOPBACK}:{self._port}"

    def prepare(self) -> None:
        """Do nothing: it keeps nothing."""

    def programs(self) -> list[Program]:
        """Return the broker to supervise."""
        command = tied_to_parent([sys.executable, "-m", "bank.embedded.broker", str(self._port)])
        return [Program(name="broker", command=command, log=self._log, is_ready=self._is_ready)]

    async def _is_ready(self) -> bool:
        return await accepts_connections(self._port)


# Note [The broker's port]: the mock cluster listens on whatever port the kernel gives it. A client keeps the
# address that it was given, so a restarted broker has to be found at the old one: we listen there, forward, and
# tell the mock to name our address in its metadata.
async def serve(port: int) -> None:
    """Run the broker on `port` for ever."""
    mock_port = _start_mock_cluster(advertised_port=port)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mock_reader, mock_writer = await asyncio.open_connection(LOOPBACK, mock_port)
        await asyncio.gather(_copy(reader, mock_writer), _copy(mock_reader, writer))

    server = await asyncio.start_server(forward, LOOPBACK, port)
    await server.serve_forever()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy until either side ends, then end the target, so that the other direction ends too."""
    with suppress(ConnectionError):
        while chunk := await source.read(CHUNK_BYTES):
            target.write(chunk)
            await target.drain()
    target.close()


def _start_mock_cluster(*, advertised_port: int) -> int:
    """Start a mock cluster in this process, for as long as it lives; return the port it listens on."""
    library = _load_library()
    error = ctypes.create_string_buffer(512)
    client = library.rd_kafka_new(_PRODUCER, None, error, ctypes.sizeof(error))
    cluster = library.rd_kafka_mock_cluster_new(client, 1)
    if not cluster:
        raise RuntimeError(f"librdkafka made no mock cluster: {error.value.decode()}")
    address: bytes = library.rd_kafka_mock_cluster_bootstraps(cluster)
    library.rd_kafka_mock_broker_set_host_port(cluster, BROKER_ID, LOOPBACK.encode(), advertised_port)
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, REBALANCE_DELAY_MS)
    return int(address.rpartition(b":")[2])


def _load_library() -> ctypes.CDLL:
    """Return librdkafka's C interface: the Python package links it but does not offer its mock functions."""
    library = ctypes.CDLL(cimpl.__file__)
    pointer, number, text = ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p
    library.rd_kafka_new.restype = pointer
    library.rd_kafka_new.argtypes = [ctypes.c_int, pointer, text, ctypes.c_size_t]
    library.rd_kafka_mock_cluster_new.restype = pointer
    library.rd_kafka_mock_cluster_new.argtypes = [pointer, ctypes.c_int]
    library.rd_kafka_mock_cluster_bootstraps.restype = text
    library.rd_kafka_mock_cluster_bootstraps.argtypes = [pointer]
    library.rd_kafka_mock_broker_set_host_port.argtypes = [pointer, number, text, ctypes.c_int]
    library.rd_kafka_mock_group_initial_rebalance_delay_ms.argtypes = [pointer, number]
    return library


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
