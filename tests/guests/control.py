"""QMP and the monitor at sockets: one client, the same for Rivulet and for QEMU."""

import json
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from cases import WORK, Failure, expect
from debian import STEP_SECONDS
from network import free_port


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
def stopped_machine(program, guest, option, more=()):
    """A machine that has not started, and a peer at the socket of this option."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        command = [program, "-machine", "virt", "-display", "none", "-serial", "null", "-S",
                   "-kernel", guest.kernel, *more, option, f"unix:{path},server=on,wait=off"]
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


def negotiated(peer):
    client = Client(peer)
    client.receive()
    client.must("qmp_capabilities", {})
    return client


def quits(client, process):
    client.must("quit", {})
    expect(process.wait(STEP_SECONDS) == 0, "a wrong status")


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


# What a client may read of each answer. QEMU's has more of some: of its formats, of its object
# tree, of machines and devices that ours has not.
ANSWERS = {
    "query-block": {
        "device": "x0", "type": "unknown", "removable": False, "locked": False, "io-status": "ok",
        "inserted": {
            "file": str, "drv": "raw", "ro": False, "node-name": str, "encrypted": False,
            "backing_file_depth": 0, "detect_zeroes": "off", "write_threshold": 0, "bps": 0,
            "bps_rd": 0, "bps_wr": 0, "iops": 0, "iops_rd": 0, "iops_wr": 0,
            "cache": {"writeback": True, "direct": False, "no-flush": False},
            "image": {"filename": str, "format": "raw", "virtual-size": 1 << 20,
                      "actual-size": int, "dirty-flag": False}}},
    "query-blockstats": {
        "device": "x0",
        "stats": {"rd_bytes": 0, "wr_bytes": 0, "rd_operations": 0, "wr_operations": 0,
                  "flush_operations": 0, "rd_total_time_ns": 0, "failed_wr_operations": 0,
                  "wr_highest_offset": 0, "timed_stats": []}},
    "query-chardev": {"label": "compat_monitor0", "filename": str, "frontend-open": True},
    "query-chardev-backends": {"name": "socket"},
    "query-cpus-fast": {"cpu-index": 1, "thread-id": int, "qom-path": "/machine/soc0/harts[1]",
                        "target": "riscv64", "props": {"core-id": 1}},
    "query-current-machine": {"wakeup-suspend-support": False},
    "query-machines": {"name": "virt", "cpu-max": int, "hotpluggable-cpus": False,
                       "numa-mem-supported": bool, "deprecated": False,
                       "default-cpu-type": "rv64-riscv-cpu"},
    "query-memory-size-summary": {"base-memory": 64 << 20},
    "query-name": {"name": "foo"},
    "query-status": {"status": "prelaunch", "running": False, "singlestep": False},
    "query-target": {"arch": "riscv64"},
    "query-version": {"qemu": {"major": int, "minor": int, "micro": int}, "package": str},
}


def fits(value, pattern):
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and fits(value[key], part) for key, part in pattern.items())
    return isinstance(value, pattern) if isinstance(pattern, type) else value == pattern


def look_at_devices(client):
    """The disk on the PCI bus, as the bus and the tree of objects tell."""
    ends = {row["label"]: row["filename"] for row in client.must("query-chardev")}
    expect(ends.get("serial0") == "null", f"the back-ends are {ends}")
    bus = client.must("query-pci")[0]
    bridge, disk = sorted(bus["devices"], key=lambda device: device["slot"])
    expect(bus["bus"] == 0 and fits(bridge, {"class_info": {"class": 0x600}}), f"{bridge}")
    expect(fits(disk, {"id": {"vendor": 0x1af4, "device": 0x1001, "subsystem": 2}, "irq_pin": 1,
                       "function": 0, "irq": 0}), f"the disk is {disk}")
    bars = [bar for bar in disk["regions"] if bar["bar"] == 4]
    expect(fits(bars[0], {"type": "memory", "size": 16384, "address": -1, "prefetch": True,
                          "mem_type_64": True}), f"its registers are {bars}")

    def children(path):
        return {row["name"]: row["type"] for row in client.must("qom-list", path=path)}

    expect({"peripheral", "peripheral-anon", "soc0"} <= set(children("/machine")), "the machine")
    expect(children("/machine/soc0")["harts[1]"] == "child<rv64-riscv-cpu>", "the harts")
    anonymous = children("/machine/peripheral-anon")
    expect(anonymous["device[0]"] == "child<virtio-blk-pci>", f"the devices are {anonymous}")
    path = "/machine/peripheral-anon/device[0]"
    expect(client.must("qom-get", path=path, property="type") == "virtio-blk-pci", "its type")
    expect("drive" in children(path), "its properties")


# What cannot be done, and the class of the error that says so.
FAILURES = (
    ("DeviceNotFound", "qom-get", {"path": "/nosuch", "property": "type"}),
    ("DeviceNotFound", "qom-list", {"path": "/nosuch"}),
    ("DeviceNotFound", "device_del", {"id": "nosuch"}),
    ("DeviceNotFound", "screendump", {"filename": "/dev/null", "device": "nosuch"}),
    ("DeviceNotActive", "balloon", {"value": 1 << 20}),
    ("DeviceNotActive", "query-balloon", {}),
    ("CommandNotFound", "no-such-command", {}),
    ("CommandNotFound", "qmp_capabilities", {}),
    ("GenericError", "qom-get", {"path": "/machine/peripheral-anon/device[0]",
                                 "property": "nosuch"}),
    ("GenericError", "inject-nmi", {}),
    ("GenericError", "memsave", {"val": 0x1000, "size": 8, "filename": "/nosuch/file"}),
    ("GenericError", "memsave", {"val": 0x1000, "size": 8, "filename": "/dev/null",
                                 "cpu_index": 9}),
    ("GenericError", "ringbuf-read", {"device": "nosuch", "size": 1}),
    ("GenericError", "human-monitor-command", {"command_line": "stop", "cpu_index": 9}),
    ("GenericError", "send-key", {"keys": [{"type": "qcode", "data": "nosuch"}]}),
    ("GenericError", "pmemsave", {"val": 0x1000}),
    ("GenericError", "cont", {"now": True}),
    ("GenericError", "set_password", {"protocol": "vnc", "password": "word"}),
    ("GenericError", "change-vnc-password", {"password": "word"}),
    ("GenericError", "expire_password", {"protocol": "vnc", "time": "now"}),
)


def look_at_failures(client):
    for kind, name, arguments in FAILURES:
        client.must_fail(client.ask(name, **arguments), kind)
    for text in ('{"execute": 1}', '{"execute": "stop", "when": 1}', "[]", '{"arguments": {}}',
                 '{"execute": "stop", "arguments": []}'):
        client.must_fail(client.ask_with(text + "\n"), "GenericError")


def list_parts(process, peer):
    """The answers that tell what the machine consists of have the members that clients read."""
    client = negotiated(peer)
    for name, pattern in ANSWERS.items():
        answer = client.must(name)
        rows = answer if isinstance(answer, list) else [answer]
        expect(any(fits(row, pattern) for row in rows), f"{name}: {answer}")
    look_at_devices(client)
    for name in ("query-iothreads", "query-jobs", "query-mice"):
        client.must(name, [])
    look_at_failures(client)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory of the guest"
        client.must("pmemsave", {}, val=0x1000, size=24, filename=str(path))
        whole = path.read_bytes()
        client.must("memsave", {}, val=0x1008, size=16, filename=str(path), cpu_index=1)
        expect(len(whole) == 24 and path.read_bytes() == whole[8:], f"saved {whole}")
        client.must("human-monitor-command", "", command_line=f'pmemsave 0x1000 8 "{path}"')
        expect(path.read_bytes() == whole[:8], "the monitor saves something else")
    quits(client, process)


VNC = ["-device", "virtio-gpu-pci", "-vnc", "127.0.0.1:0,to=500,password=on"]


def change_passwords(process, peer):
    """Those of the VNC server, in QMP and in the monitor."""
    client = negotiated(peer)
    vnc = {"protocol": "vnc", "password": "word"}
    for more in ({}, {"connected": "keep"}, {"display": "default"}, {"password": ""}):
        client.must("set_password", {}, **{**vnc, **more})
    for more in ({"connected": "fail"}, {"connected": "stay"}, {"display": "nosuch"},
                 {"protocol": "nosuch"}, {"password": 1}, {"pass": "word"}):
        client.must_fail(client.ask("set_password", **{**vnc, **more}), "GenericError")
    client.must_fail(client.ask("set_password", **{**vnc, "protocol": "spice"}), "DeviceNotActive")
    client.must_fail(client.ask("set_password", protocol="vnc"), "GenericError")
    client.must("change-vnc-password", {}, password="word")
    for when in ("now", "+30", "2000000000", "never"):
        client.must("expire_password", {}, protocol="vnc", time=when)
    client.must_fail(client.ask("expire_password", protocol="vnc", time="now", display="nosuch"),
                     "GenericError")
    for line in ("set_password vnc word", 'set_password vnc "a word" keep', "change vnc passwd word",
                 "change vnc password word", "expire_password vnc +30"):
        client.must("human-monitor-command", "", command_line=line)
    for line in ("set_password vnc", "set_password nosuch word", "change vnc password",
                 "set_password vnc word fail", "change vnc :1", "change nosuch file"):
        expect(client.must("human-monitor-command", command_line=line), f"{line} says nothing")
    quits(client, process)


DISPLAYS = ["-device", "virtio-gpu-pci,id=first", "-device", "virtio-rng-pci,id=chance"]


def choose_displays(process, peer):
    """A picture is of a display that is there, or none is made."""
    client = negotiated(peer)
    for kind, where in (("DeviceNotFound", {"device": "nosuch"}), ("GenericError", {"head": 0}),
                        ("GenericError", {"device": "chance"}),
                        ("GenericError", {"device": "first", "head": 1}),
                        ("GenericError", {"device": "first", "head": -1}),
                        ("GenericError", {"device": "first", "head": "0"})):
        client.must_fail(client.ask("screendump", filename="/dev/null", **where), kind)
    for where in ("nosuch", "chance", "first 1", "first 0 0"):
        line = f"screendump /dev/null {where}"
        expect(client.must("human-monitor-command", command_line=line), f"{line} says nothing")
    quits(client, process)


def keeps_a_pid_file(program, guest):
    """It has the number of the process, and goes with it."""
    def case():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pid"
            with stopped_machine(program, guest, "-qmp", ["-pidfile", path]) as (process, peer):
                client = negotiated(peer)
                expect(path.read_text() == f"{process.pid}\n", f"it has {path.read_text()!r}")
                quits(client, process)
                expect(not path.exists(), "it is left")

    return case


def at_stdio(program, guest):
    """The same client at standard input and output, given as -qmp or as a -chardev."""
    def case():
        for words in (["-qmp", "stdio"], ["-chardev", "stdio,id=c", "-mon", "c,mode=control"]):
            command = [program, "-machine", "virt", "-display", "none", "-serial", "null",
                       "-monitor", "none", "-S", "-kernel", guest.kernel, *words]
            ours, theirs = socket.socketpair()
            with ours, subprocess.Popen([str(word) for word in command], stdin=theirs,
                                        stdout=theirs) as process:
                theirs.close()
                ours.settimeout(STEP_SECONDS)
                try:
                    converse(process, ours)
                finally:
                    process.kill()

    return case


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


def listeners():
    """The addresses at which somebody listens, as Linux tells them: host and port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16): row[1].split(":")[0] for row in rows if row[3] == "0A"}


def for_this_host(program, guest):
    """Each end that is given as HOST:PORT without a host is bound to 127.0.0.1."""
    def case():
        ports = [free_port() for _ in range(5)]
        command = [program, "-machine", "virt", "-display", "none", "-S", "-kernel", guest.kernel,
                   "-gdb", f"tcp::{ports[0]}",
                   "-monitor", f"telnet::{ports[1]},server=on,wait=off",
                   "-qmp", f"tcp::{ports[2]},server=on,wait=off",
                   "-serial", f"tcp::{ports[3]},server=on,wait=off",
                   "-qmp", f"tcp:0.0.0.0:{ports[4]},server=on,wait=off"]
        with subprocess.Popen([str(word) for word in command],
                              stdin=subprocess.DEVNULL) as process:
            try:
                end = time.monotonic() + STEP_SECONDS
                while not set(ports) <= (bound := listeners()).keys():
                    expect(time.monotonic() < end and process.poll() is None, "nobody listens")
                    time.sleep(0.05)
            finally:
                process.kill()
        hosts = [bound[port] for port in ports]
        expect(hosts == ["0100007F"] * 4 + ["00000000"], f"it listens at {hosts}")

    return case


def control_cases(program, guest):
    def parts(name):
        disk = WORK / f"control-{name}.img"
        WORK.mkdir(parents=True, exist_ok=True)
        disk.write_bytes(bytes(1 << 20))
        return ["-smp", "2", "-m", "64", "-name", "foo",
                "-drive", f"file={disk},format=raw,if=none,id=x0",
                "-device", "virtio-blk-pci,drive=x0"]

    def case(program, option, talk, more=()):
        def body():
            with stopped_machine(program, guest, option, more) as (process, peer):
                talk(process, peer)

        return body

    return [
        ("a client of QMP steers the machine", case(program, "-qmp", converse)),
        ("the same client steers QEMU", case("qemu-system-riscv64", "-qmp", converse)),
        ("the answers have what clients of QMP read",
         case(program, "-qmp", list_parts, parts("ours"))),
        ("those of QEMU have it too",
         case("qemu-system-riscv64", "-qmp", list_parts, parts("theirs"))),
        ("passwords of the VNC server are set while it runs",
         case(program, "-qmp", change_passwords, VNC)),
        ("those of QEMU's too", case("qemu-system-riscv64", "-qmp", change_passwords, VNC)),
        ("a picture is of the display that is asked for",
         case(program, "-qmp", choose_displays, DISPLAYS)),
        ("and QEMU's pictures are",
         case("qemu-system-riscv64", "-qmp", choose_displays, DISPLAYS)),
        ("-pidfile tells the number of the process", keeps_a_pid_file(program, guest)),
        ("QEMU's tells it so too", keeps_a_pid_file("qemu-system-riscv64", guest)),
        ("a socket that names no host is for this one", for_this_host(program, guest)),
        ("QMP is at standard input and output", at_stdio(program, guest)),
        ("and QEMU's is", at_stdio("qemu-system-riscv64", guest)),
        ("the monitor is at a socket", case(program, "-monitor", monitor_at_a_socket)),
    ]
