"""QMP and the monitor at sockets: one client, the same for Rivulet and for QEMU."""

import json
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from cases import Failure, expect
from debian import STEP_SECONDS


def connect(path, process):
    """Connects to a socket that the program is about to make."""
    end = time.monotonic() + STEP_SECONDS
    while time.monotonic() < end and process.poll() is None:
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(str(path))
            peer.settimeout(STEP_SECONDS)
            return peer
        except OSError:
            peer.close()
            time.sleep(0.05)
    raise Failure(f"nobody listens at {path}")


@contextmanager
def stopped_machine(program, guest, option):
    """A machine that has not started, and a peer at the socket of this option."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        command = [program, "-machine", "virt", "-display", "none", "-serial", "null", "-S",
                   "-kernel", guest.kernel, option, f"unix:{path},server=on,wait=off"]
        if option != "-monitor":
            command += ["-monitor", "none"]
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL) as process:
            try:
                with connect(path, process) as peer:
                    yield process, peer
            finally:
                process.kill()


class Client:
    """Speaks QMP: sends requests, keeps the events that come before the answer."""

    def __init__(self, peer):
        self.peer, self.lines, self.events = peer, peer.makefile("rb"), []

    def receive(self):
        line = self.lines.readline()
        expect(line, "the connection has ended")
        return json.loads(line)

    def ask_with(self, text):
        """The answer to a request as it is written."""
        self.peer.sendall(text.encode())
        while "event" in (message := self.receive()):
            self.events.append(message)
        return message

    def ask(self, name, **arguments):
        request = {"execute": name, "id": name}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        answer = self.ask_with(json.dumps(request) + "\n")
        expect(answer.pop("id", None) == name, f"{name}: no id in {answer}")
        return answer

    def must(self, name, wanted=None, **arguments):
        answer = self.ask(name, **arguments)
        expect("return" in answer and wanted in (None, answer["return"]), f"{name}: {answer}")
        return answer["return"]

    def must_fail(self, answer, kind):
        expect(answer.get("error", {}).get("class") == kind, f"{answer} is no {kind}")

    def wait_for(self, name):
        while not (found := [event for event in self.events if event["event"] == name]):
            message = self.receive()
            expect("event" in message, f"{message} is no event")
            self.events.append(message)
        self.events.clear()
        expect(found[0]["timestamp"]["seconds"] > 1000000000, f"{found[0]} has no time")
        return found[0].get("data")


def converse(process, peer):
    """What any client of QMP relies on."""
    client = Client(peer)
    greeting = client.receive()["QMP"]
    expect("qemu" in greeting["version"] and "capabilities" in greeting, f"greeted by {greeting}")
    client.must_fail(client.ask("query-status"), "CommandNotFound")
    client.must("qmp_capabilities", {})
    expect(client.must("query-status")["status"] == "prelaunch", "it runs already")
    client.must("cont", {})
    client.wait_for("RESUME")
    expect(client.must("query-status")["running"] is True, "cont does not let it run")
    client.must("stop", {})
    client.wait_for("STOP")
    expect(client.must("query-status")["status"] == "paused", "stop does not stop it")
    said = client.must("human-monitor-command", command_line="info status")
    expect(said.startswith("VM status: paused"), f"the monitor says {said!r}")
    expect(client.must("query-kvm")["enabled"] is False, "KVM")
    names = {command["name"] for command in client.must("query-commands")}
    expect({"cont", "stop", "quit", "system_reset", "query-status"} <= names, f"only {names}")
    client.must_fail(client.ask("no-such-command"), "CommandNotFound")
    client.must_fail(client.ask("stop", no_such=1), "GenericError")
    client.must_fail(client.ask_with('{"execute": stop}\n'), "GenericError")
    client.must_fail(client.ask_with("{}\n"), "GenericError")
    client.must("system_reset", {})
    expect(client.wait_for("RESET") == {"guest": False, "reason": "host-qmp-system-reset"},
           "who resets?")
    expect(client.must("query-status")["status"] == "prelaunch", "not as before the start")
    client.must("quit", {})
    expect(client.wait_for("SHUTDOWN") == {"guest": False, "reason": "host-qmp-quit"},
           "who ends it?")
    expect(process.wait(STEP_SECONDS) == 0, "a wrong status")


def monitor_at_a_socket(process, peer):
    text = b""
    for line, answer in ((b"", b"(rivulet) "), (b"info status\n", b"VM status: paused (prelaunch)"),
                         (b"step\n", b"  "), (b"cont\n", b"(rivulet) "), (b"quit\n", b"")):
        text = b""
        peer.sendall(line)
        while answer not in text:
            part = peer.recv(65536)
            expect(part, f"the connection ended, after {text!r}")
            text += part
    expect(process.wait(STEP_SECONDS) == 0, "a wrong status")


def control_cases(program, guest):
    def case(program, option, talk):
        def body():
            with stopped_machine(program, guest, option) as (process, peer):
                talk(process, peer)

        return body

    return [
        ("a client of QMP steers the machine", case(program, "-qmp", converse)),
        ("the same client steers QEMU", case("qemu-system-riscv64", "-qmp", converse)),
        ("the monitor is at a socket", case(program, "-monitor", monitor_at_a_socket)),
    ]
