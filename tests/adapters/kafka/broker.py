"""A real Apache Kafka for the tests: fetched with Maven, run with the machine's Java."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from confluent_kafka import KafkaException

from tests.adapters.kafka.topics import admin_of

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[3] / ".cache" / "kafka"
START_SECONDS = 60.0

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


class BrokerUnavailable(Exception):
    """This machine cannot run a broker; the text says what is missing and what to do."""


class Broker:
    """One node, broker and controller at once, on free loopback ports of its own.

    `stop` and `start` take it away and bring it back with the same address and the same data.
    """

    def __init__(self, folder: Path) -> None:
        self._java = _find("java")
        self._libraries = fetch()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        port, controller = _free_ports(2)
        self.address = f"127.0.0.1:{port}"
        self._config = folder / "server.properties"
        self._config.write_text(
            _PROPERTIES.format(port=port, controller=controller, data=folder / "data")
        )
        cluster = self._run("kafka.tools.StorageTool", "random-uuid").strip()
        config = str(self._config)
        self._run("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", config)

    def start(self) -> None:
        """Start the node, unless it runs, and return when it answers.

        Raises with the end of its log if it does not.
        """
        if self._process is not None and self._process.poll() is None:
            return
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command("kafka.Kafka"), str(self._config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
            )
        deadline = time.monotonic() + START_SECONDS
        admin = admin_of(self.address)
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                if admin.list_topics(timeout=1).brokers:
                    return
            except KafkaException:
                continue
        self.kill()
        text = (self._folder / "broker.log").read_text(errors="replace")
        raise RuntimeError(f"the broker did not start:\n{text[-4000:]}")

    def stop(self) -> None:
        """Stop the node cleanly; what it accepted is on disk."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End the node at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _command(self, main: str) -> list[str]:
        # A small, quickly started machine: throughput is not what these options are for.
        options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return [self._java, *options, "-cp", f"{self._libraries}/*", main]

    def _run(self, main: str, *arguments: str) -> str:
        done = subprocess.run(
            [*self._command(main), *arguments], capture_output=True, text=True, cwd=self._folder
        )
        if done.returncode:
            raise RuntimeError(f"{main} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout


def fetch() -> Path:
    """The folder with the broker's libraries; fetched once per version of `pom.xml`.

    Raises `BrokerUnavailable` without Maven or when Maven Central cannot be reached.
    """
    done = CACHE / "pom.xml"
    if done.exists() and done.read_bytes() == POM.read_bytes():
        return CACHE / "libs"
    maven = _find("mvn")
    shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir(parents=True)
    fetched = subprocess.run(
        [maven, "--quiet", "--batch-mode", "--file", str(POM), "dependency:copy-dependencies",
         "-DincludeScope=runtime", f"-DoutputDirectory={CACHE / 'libs'}"],
        capture_output=True,
        text=True,
    )  # fmt: skip
    if fetched.returncode:
        raise BrokerUnavailable(f"Maven could not fetch the Kafka broker: {fetched.stdout[-600:]}")
    # Written last, so that an interrupted fetch is not taken for a whole one.
    shutil.copy(POM, done)
    return CACHE / "libs"


def _find(program: str) -> str:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(program, path=f"{home}/bin") if home else None
    found = found or shutil.which(program)
    if found is None:
        raise BrokerUnavailable(
            f"`{program}` is not installed; tests on a real broker need Java 17 or newer and Maven"
        )
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for each in sockets:
        each.close()
    return ports
