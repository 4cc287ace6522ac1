"""Debian on its disk, as a user has it: U-Boot, systemd, a network, ssh and apt."""

import subprocess
import time
from contextlib import contextmanager

from cases import ROOT, WORK, Failure, expect, run, tail
from debian import Console
from network import free_port

# A loaded machine; and ssh's patience with a guest that boots.
BOOT_SECONDS, END_SECONDS, COMMAND_SECONDS = 600, 300, 1800
MAKE_SECONDS = 3600
LOGIN = "rivulet login: "


def tool(name, *words):
    """What one of tools/ prints: the folder it has filled."""
    return run([ROOT / "tools" / name, *words], MAKE_SECONDS).must_end_with(0).out.strip()


class DebianDisk:
    """What tools/make-debian-disk made, and an overlay on it, so that the user's disk stays as it
    is."""

    def __init__(self, program, name, base=None):
        self.folder = tool("make-debian-disk")
        self.firmware = tool("guest", "--firmware")
        self.program = program
        self.disk = WORK / f"{name}.qcow2"
        self.img("create", "-q", "-f", "qcow2", "-b", base or f"{self.folder}/disk.qcow2",
                 "-F", "qcow2", self.disk)

    def img(self, *words):
        run([self.program, "img", *words]).must_end_with(0)

    def rivulet(self, port):
        """The command line of a user."""
        return [self.program, "-L", self.firmware, self.disk, "-nic", forward(port)]

    def qemu(self, port):
        return ["qemu-system-riscv64", "-machine", "virt", "-nographic", "-m", "1G",
                "-kernel", f"{self.firmware}/u-boot/qemu-riscv64_smode/u-boot.bin",
                "-drive", f"file={self.disk},format=qcow2,if=virtio",
                "-netdev", f"{forward(port)},id=n0",
                "-device", "virtio-net-pci,netdev=n0,romfile=",  # its ROM is in another package
                "-device", "virtio-rng-pci"]

    def ssh(self, port, command):
        """What a command on the guest prints."""
        words = ["ssh", "-F", f"{self.folder}/ssh_config", "-o", "BatchMode=yes",
                 "-o", "ConnectTimeout=30", "-p", str(port), "debian", command]
        return run(words, COMMAND_SECONDS).must_end_with(0).out


def forward(port):
    return f"user,hostfwd=tcp:127.0.0.1:{port}-:22"


class Machine(Console):
    """A running machine: its process, and its console."""

    def __init__(self, process):
        super().__init__(process.stdout)
        self.pid, self.keyboard = process.pid, process.stdin

    def type(self, text):
        self.keyboard.write(text.encode())
        self.keyboard.flush()


@contextmanager
def running(command):
    """A machine with its console, which must end with status 0 when the body has ended it."""
    command = [str(word) for word in command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        console = Machine(process)
        try:
            yield console
            console.wait_for("reboot: Power down", END_SECONDS)
            process.wait(END_SECONDS)
            console.text += process.stdout.read().decode(errors="replace")
        except subprocess.TimeoutExpired:
            raise Failure(f"the program does not end\n{tail(console.text)}") from None
        finally:
            process.kill()
    expect(process.returncode == 0, f"status {process.returncode}\n{tail(console.text)}")


def is_right(debian, port):
    """What any good boot of the disk gives."""
    state = debian.ssh(port, "systemctl is-system-running --wait; systemctl --failed --no-legend")
    expect(state == "running\n", f"systemd is not content: {state}")
    seconds = int(debian.ssh(port, "date +%s")) - time.time()
    expect(abs(seconds) < 60, f"the guest's date is {seconds} s off")


def keeps(debian, port, write):
    """Files that are written once must be there in all later boots."""
    numbers = "seq 500000 | sha256sum"
    if write:
        debian.ssh(port, "seq 500000 >numbers; sync")
    seen = debian.ssh(port, f"cmp <({numbers}) <(sha256sum <numbers) && echo same")
    expect(seen == "same\n", f"the file has changed: {seen}")


def check_image(debian):
    run(["qemu-img", "check", debian.disk]).must_end_with(0)
    flat = debian.disk.with_suffix(".raw")
    debian.img("convert", "-q", "-O", "raw", debian.disk, flat)
    run(["/sbin/e2fsck", "-f", "-n", f"{flat}?offset={1 << 20}"]).must_end_with(0)
    flat.unlink()


def life(program):
    """ssh, apt, a reboot, power-off, checks of the image; and the same disk in QEMU."""

    def case():
        debian, port = DebianDisk(program, "debian-life"), free_port()
        with running(debian.rivulet(port)) as console:
            console.wait_for(LOGIN, BOOT_SECONDS)
            is_right(debian, port)
            keeps(debian, port, write=True)
            debian.ssh(port, "apt-get -q update && apt-get -q install -y hello")
            expect(debian.ssh(port, "hello -g hallo") == "hallo\n", "the package does not run")
            debian.ssh(port, "systemctl reboot")
            console.wait_for("reboot: Restarting system", END_SECONDS)
            console.wait_for(LOGIN, BOOT_SECONDS)
            keeps(debian, port, write=False)
            debian.ssh(port, "systemctl poweroff")
        check_image(debian)
        with running(debian.qemu(port)) as console:
            console.wait_for(LOGIN, BOOT_SECONDS)
            is_right(debian, port)
            keeps(debian, port, write=False)
            expect(debian.ssh(port, "hello -g hallo") == "hallo\n", "the package is lost")
            debian.ssh(port, "systemctl poweroff")
        check_image(debian)

    return case


def disk_cases(program):
    return [("Debian's disk serves ssh and apt, reboots, keeps files, and boots in QEMU too",
             life(program))]
