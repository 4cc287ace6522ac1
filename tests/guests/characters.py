"""The guest's serial ports and virtio consoles, at the ends of sockets and terminals of the host."""

import hashlib
import os
import re
import select
import socket
import subprocess
import time
import tty

from cases import WORK, Failure, expect
from debian import BOOT_SECONDS, PROMPT, Console, Rivulet, load_modules
from network import in_background

OFF = ("poweroff -f", "reboot: Power down")
MIB = 1 << 20
QUESTION = b"over the console\n" * 100


def numbers(count):
    """Text in which nothing can be lost or moved without a change of the sum."""
    return b"".join(b"%d\n" % number for number in range(1, count))[:MIB]


def connect(path):
    """A peer at a UNIX socket that the emulator is about to make."""
    end = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < end:
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(str(path))
            peer.settimeout(BOOT_SECONDS)
            return peer
        except OSError:
            peer.close()
            time.sleep(0.1)
    raise Failure(f"nobody listens at {path}")


def receive(peer, size):
    answer = b""
    while len(answer) < size:
        part = peer.recv(65536)
        expect(part, f"hung up after {len(answer)} of {size} bytes")
        answer += part
    return answer


def virtio_ports(rivulet, guest, place, extra):
    """A virtconsole echoes what the host sends, a virtserialport moves 1 MiB each way."""

    def case():
        console, port = WORK / f"{place}.console", WORK / f"{place}.port"
        options = guest.options(append="quiet") + [
            "-device", place, "-chardev", f"socket,id=c,path={console},server=on,wait=off",
            "-device", "virtconsole,chardev=c",
            "-chardev", f"socket,id=p,path={port},server=on,wait=off",
            "-device", "virtserialport,chardev=p,name=org.rivulet.test", *extra]
        sent = hashlib.md5(numbers(200_000)).hexdigest()
        pairs = [load_modules(),
                 ("cat /sys/class/virtio-ports/vport0p1/name", "org.rivulet.test"),
                 # The last close of a console would forget what stty has set.
                 ("exec 3<>/dev/hvc0; stty raw -echo <&3; (cat <&3 >&3 &); echo ec''ho", "echo"),
                 (f"echo sum=$(head -c {MIB} /dev/vport0p1 | md5sum)", f"sum={sent}"),
                 (f"seq 200000 | head -c {MIB} >/dev/vport0p1; echo se''nt", "sent"),
                 ("until [ -f /tmp/heard ]; do read a </dev/vport0p1; echo $a >/tmp/heard; done; "
                  "cat /tmp/heard", "all came"), OFF]

        def talk():
            with connect(console) as a, connect(port) as b:
                b.sendall(numbers(200_000))
                expect(receive(b, MIB) == numbers(200_000), "the guest's MiB is not what it sent")
                a.sendall(QUESTION)
                expect(receive(a, len(QUESTION)) == QUESTION, "the console's echo is wrong")
                b.sendall(b"all came\n")
                expect(b.recv(1) == b"", "something came behind the end")

        host = in_background(talk)
        ended = Rivulet(rivulet).run(place, options, pairs)
        host()
        ended.must_end_with(0)

    return case


def serial_on_a_terminal(rivulet, guest):
    """-serial pty: a shell on the pseudo-terminal that the emulator names."""

    def case():
        command = [str(word) for word in [rivulet, *guest.options(append="quiet"), "-serial", "pty"]]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as process:
            try:
                ready = select.select([process.stderr], [], [], 30)[0]
                said = os.read(process.stderr.fileno(), 4096).decode() if ready else ""
                name = re.search(r"char device redirected to (/dev/pts/\d+) ", said)
                expect(name, f"no name of a terminal in {said!r}")
                with open(name[1], "r+b", buffering=0) as terminal:
                    tty.setraw(terminal)
                    console = Console(terminal)
                    console.wait_for(PROMPT, BOOT_SECONDS)
                    terminal.write(b"echo $((6 * 7))wells; poweroff -f\n")
                    console.wait_for("42wells", 60)
                    status = process.wait(60)
                expect(status == 0, f"status {status}")
            finally:
                process.kill()

    return case


def character_cases(rivulet, guest):
    counting = ["-icount", "shift=1", "-save-load", "2s", "-save-load", "4s", "-save-load", "6s"]
    return [
        ("a virtconsole echoes and a virtserialport moves 1 MiB each way",
         virtio_ports(rivulet, guest, "virtio-serial-device", [])),
        ("they do on PCI, while steps are counted and the machine is saved and loaded",
         virtio_ports(rivulet, guest, "virtio-serial-pci", counting)),
        ("the serial port is at a pseudo-terminal", serial_on_a_terminal(rivulet, guest)),
    ]
