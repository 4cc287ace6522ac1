"""The guest on a network: DHCP, the host's servers, forwards, another machine, captures."""

import hashlib
import http.server
import socket
import struct
import threading
import time
from contextlib import contextmanager

from behind_tap import ADDRESS, PORT
from cases import ROOT, WORK, Failure, Skip, expect, run
from debian import BOOT_SECONDS, Qemu, Rivulet, load_modules

# udhcpc calls it with what it was given.
DHCP = """#!/bin/sh
[ "$1" = bound ] || exit 0
ifconfig $interface $ip netmask $subnet
route add default gw $router dev $interface
echo "address=$ip router=$router dns=$dns"
"""
ASK = ("udhcpc -q -n -i eth0 -s /dhcp", "address=10.0.2.15 router=10.0.2.2 dns=10.0.2.3")
OFF = ("poweroff -f", "reboot: Power down")
QUESTION = b"over the bridge" * 5000
# Until a whole question came: what the host's side gave up before the guest listened arrives too.
SERVE = ("until nc -l -p 7 -e tee /tmp/asked; [ $(wc -c </tmp/asked) = {bytes} ]; do :; done; "
         "echo call''ed")


class NetGuest:
    """The Debian guest with a script for udhcpc."""

    def __init__(self, guest):
        self.guest = guest
        script = WORK / "dhcp"
        script.write_text(DHCP)
        self.initramfs = guest.pack("network.cpio", {"dhcp": script})
        load, answer = load_modules()
        self.load = (f"{load}; ip link set eth0 up", answer)

    def options(self):
        return ["-nographic", "-m", "256M", "-kernel", self.guest.kernel,
                "-initrd", self.initramfs, "-append", "console=ttyS0 quiet"]


class Served(http.server.BaseHTTPRequestHandler):
    """Numbers, so that what is lost or moved on the way changes the sum."""

    TEXT = "".join(f"{number}\n" for number in range(300_000)).encode()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.TEXT)))
        self.end_headers()
        self.wfile.write(self.TEXT)

    def log_message(self, *_):
        pass


@contextmanager
def web_server():
    """A server of this host's loopback; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask_echo(port, question, seconds):
    """Sends a question to the port until what comes back is the same; libslirp accepts before the
    guest does, and hangs up when the guest is not there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
                peer.sendall(question)
                answer = b""
                while len(answer) < len(question) and (part := peer.recv(65536)):
                    answer += part
                if answer == question:
                    return
        except OSError:
            pass
        time.sleep(0.3)
    raise Failure(f"no echo at the forwarded port {port} within {seconds} s")


def in_background(function, *arguments):
    """Starts a thread; the returned function waits for it and gives its result or its failure."""
    result = {}

    def body():
        try:
            result["value"] = function(*arguments)
        except (Failure, OSError) as failure:
            result["failure"] = failure

    thread = threading.Thread(target=body)
    thread.start()

    def wait():
        thread.join()
        if "failure" in result:
            raise result["failure"]
        return result["value"]

    return wait


def packets(path):
    """The frames of a capture, each with its time in ns."""
    data = path.read_bytes()
    magic, *_, kind = struct.unpack_from("<IHHIIII", data)
    expect(magic == 0xA1B23C4D and kind == 1, f"{path} is no capture of Ethernet with ns")
    at, found = 24, []
    while at < len(data):
        seconds, ns, kept, _ = struct.unpack_from("<IIII", data, at)
        found.append((seconds * 10**9 + ns, data[at + 16:at + 16 + kept]))
        at += 16 + kept
    expect(at == len(data), f"{path} ends in the middle of a packet")
    return found


CARD = ["-device", "virtio-net-device,netdev=n0"]


def user_network(net, machine):
    """DHCP, a ping, a download, forwards both ways and a capture, in one boot."""

    def case(name, extra):
        port, path = free_port(), WORK / f"{name}.pcap"
        forwards = f"hostfwd=tcp:127.0.0.1:{port}-:7,guestfwd=tcp:10.0.2.100:5-cmd:echo outside"
        user = ["-netdev", f"user,id=n0,{forwards}", *CARD]
        capture = ["-object", f"filter-dump,id=f0,netdev=n0,file={path}"]
        with web_server() as web:
            fetch = f"wget -q -O - http://10.0.2.2:{web}/ | md5sum"
            pairs = [net.load, ASK,
                     ("ping -c 3 10.0.2.2", "3 packets received"),
                     (f"echo sum=$({fetch} | cut -c1-8)", f"sum={md5_of(Served.TEXT)}"),
                     ("echo from=$(sleep 1 | nc 10.0.2.100 5)", "from=outside"),
                     (SERVE.format(bytes=len(QUESTION)), "called"), OFF]
            echo = in_background(ask_echo, port, QUESTION, BOOT_SECONDS)
            machine.run(name, [*net.options(), *user, *capture, *extra], pairs).must_end_with(0)
            echo()
        frames = packets(path)
        expect(frames == sorted(frames, key=lambda frame: frame[0]), "packets out of order")
        expect(any(b"over the bridge" in frame for _, frame in frames), "the capture lacks data")

    return case


def md5_of(content):
    return hashlib.md5(content).hexdigest()[:8]


def two_machines(net, server, client):
    """Two guests with addresses of their own and one link between them. Each side is (emulator,
    options); the server's waits for the client's."""

    def pairs(own, *last):
        return [net.load, (f"ifconfig eth0 10.1.0.{own}; echo u''p", "up"), *last, OFF]

    def case():
        name = f"net-{client[1][3].split(',')[0]}-{type(client[0]).__name__}"
        waits = in_background(server[0].run, f"{name}-server", [*net.options(), *server[1]],
                              pairs(1, ("nc -l -p 7 -e cat; echo call''ed", "called")))
        time.sleep(1)
        ping = ("until ping -c 1 -W 1 10.1.0.1; do :; done; echo rea''ched", "reached")
        echo = f"seq 2000 | nc 10.1.0.1 7 | md5sum | grep {md5_of(numbers(2000))}"
        talk = (f"until {echo}; do sleep 1; done; echo the s''ame", "the same")
        client[0].run(f"{name}-client", [*net.options(), *client[1]],
                      pairs(2, ping, talk)).must_end_with(0)
        waits().must_end_with(0)

    return case


IN_NAMESPACE = ["unshare", "--map-root-user", "--net"]


def needs_tap():
    """Skips the case where this host lets nobody make an interface."""
    try:
        probe = run([*IN_NAMESPACE, "ip", "tuntap", "add", "tap0", "mode", "tap"])
    except OSError as error:
        raise Skip(f"no tap interface: {error}") from None
    if probe.status != 0:
        raise Skip(f"no tap interface: {probe.err.strip()}")


def tap_network(net, program):
    """The host is the peer itself, with no server between: ping, and bytes both ways."""

    def case():
        needs_tap()
        behind = Rivulet(program, [*IN_NAMESPACE, ROOT / "tests/guests/behind_tap.py"])
        tap = ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no", *CARD]
        count = 200_000
        echo = f"seq {count} | nc {ADDRESS} {PORT} | md5sum | cut -c1-8"
        pairs = [net.load, ("ifconfig eth0 10.9.0.2 netmask 255.255.255.0; echo u''p", "up"),
                 (f"ping -c 3 {ADDRESS}", "3 packets received"),
                 (f"echo sum=$({echo})", f"sum={md5_of(numbers(count))}"), OFF]
        behind.run("net-tap", [*net.options(), *tap], pairs).must_end_with(0)

    return case


def numbers(last):
    return "".join(f"{number}\n" for number in range(1, last + 1)).encode()


def stream(server, path, card):
    kind = f"stream,id=n0,server={server},addr.type=unix,addr.path={path}"
    return ["-machine", "virt", "-netdev", kind, "-device", f"{card},netdev=n0"]


def plain_socket(verb, port):
    return ["-machine", "virt", "-netdev", f"socket,id=n0,{verb}=127.0.0.1:{port}", *CARD]


def network_cases(program, guest):
    net, ours, qemu = NetGuest(guest), Rivulet(program), Qemu("qemu-system-riscv64")
    user, path, port = user_network(net, ours), WORK / "wire", free_port()
    modern = ["-global", "virtio-mmio.force-legacy=false"]
    counting = ["-icount", "shift=1", "-save-load", "2s", "-save-load", "3s", "-save-load", "4s"]
    return [
        ("a guest has DHCP, the host's servers, forwards both ways and a capture",
         lambda: user("net-host", [])),
        ("a guest that counts steps, is saved and loaded, and has modern virtio has them too",
         lambda: user("net-icount", [*modern, *counting])),
        ("a guest pings its host through a tap interface, and bytes come back whole",
         tap_network(net, program)),
        ("two guests talk through a stream of frames, one of them with a card on PCI",
         two_machines(net, (ours, stream("on", path, "virtio-net-device")),
                      (ours, stream("off", path, "virtio-net-pci")))),
        ("a guest talks with one in QEMU through a socket",
         two_machines(net, (ours, plain_socket("listen", port)),
                      (qemu, plain_socket("connect", port)))),
    ]
