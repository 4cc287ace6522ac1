"""A guest that only writes (writer.c): nothing it had flushed is lost, whatever happens."""

import os
import random
import re
import resource
import select
import signal
import struct
import subprocess
import threading
import time
from functools import cache, wraps

from cases import ROOT, WORK, expect, run, tail
from compiling import compile_bare
from control import Client, connect

SECTORS = 64 << 11  # 64 MiB
RECORD_SECTORS, STRIDE = 5, 7919  # as in writer.c
RECORDS = SECTORS // RECORD_SECTORS
LATER = 4096  # more writes than may be done behind the last flush whose line came out
LIMIT_SECONDS = 60

# Image and place: all ways in which a cluster is written first are there.
KINDS = {
    "raw at virtio-mmio": ("raw", ["-device", "virtio-blk-device,drive=d"]),
    "qcow2 at PCI": ("qcow2", ["-device", "virtio-blk-pci,drive=d"]),
    "backed qcow2 at virtio-mmio version 2": (
        "backed", ["-global", "virtio-mmio.force-legacy=false",
                   "-device", "virtio-blk-device,drive=d"]),
    "qcow2 on a compressed image at PCI": (
        "compressed", ["-device", "virtio-blk-pci,drive=d"]),
}


# Cases run side by side: what they share is made by the first that wants it, the others wait.
MAKING = threading.RLock()


def made_once(make):
    once = cache(make)

    @wraps(make)
    def wait_or_make(*words):
        with MAKING:
            return once(*words)

    return wait_or_make


WITHOUT_MONITOR = ["-display", "none", "-monitor", "none", "-serial", "stdio"]
WITH_MONITOR = ["-nographic"]


@made_once
def writer():
    """The guest program."""
    return compile_bare("tests/guests/writer.c", WORK / "writer",
                        "-T", ROOT / "tests/isa/lib/link.ld")


def stamp(write, sector):
    return struct.pack("<QQ", write, sector) * 32


@made_once
def base_image(compressed):
    """An image whose sectors have the stamp of write 0."""
    raw, image = WORK / "writing-base.raw", WORK / f"writing-base-{compressed}.qcow2"
    raw.write_bytes(b"".join(stamp(0, sector) for sector in range(SECTORS)))
    run(["qemu-img", "convert", *(["-c"] if compressed else []), "-O", "qcow2", raw,
         image]).must_end_with(0)
    return image


def make_image(path, kind):
    """Returns the format."""
    path.unlink(missing_ok=True)
    form = "raw" if kind == "raw" else "qcow2"
    backing = []
    if kind in ("backed", "compressed"):
        backing = ["-F", "qcow2", "-b", base_image(kind == "compressed")]
    run(["qemu-img", "create", "-q", "-f", form, *backing, path,
         str(SECTORS * 512)]).must_end_with(0)
    return form


def check_content(raw, flushed, is_stamped):
    """Each sector holds its last write that was flushed, or one behind the flush."""
    content = raw.read_bytes()
    expect(len(content) == SECTORS * 512, f"the disk has {len(content)} bytes")
    last = {number * STRIDE % RECORDS: number
            for number in range(max(1, flushed - RECORDS + 1), flushed + 1)}
    later = {number * STRIDE % RECORDS: number
             for number in range(flushed + 1, flushed + LATER)}
    for sector in range(SECTORS):
        bytes_ = content[sector * 512:sector * 512 + 512]
        record = sector // RECORD_SECTORS
        number = last.get(record, 0)
        untouched = bytes(512) if number == 0 and not is_stamped else stamp(number, sector)
        if bytes_ != untouched and bytes_ != stamp(later.get(record, number), sector):
            expect(False, f"sector {sector} holds {bytes_[:16].hex()}, not write {number}, "
                          f"and {flushed} were flushed")


def check_tables(program, path):
    """Nothing worse than leaks, as an image has behind a kill of QEMU too; a repair ends them."""
    leaks = run([program, "img", "check", path])
    theirs = run(["qemu-img", "check", path])
    expect(leaks.status in (0, 3), f"status {leaks.status}\n{tail(leaks.out + leaks.err)}")
    theirs.must_end_with(leaks.status)
    run([program, "img", "check", "-r", "leaks", path]).must_end_with(0)
    run(["qemu-img", "check", path]).must_end_with(0)


def check_image(program, path, form, flushed, is_stamped):
    """The image is whole, and both programs read the same."""
    if form == "qcow2":
        check_tables(program, path)
    ours, theirs = path.with_suffix(".ours"), path.with_suffix(".theirs")
    run([program, "img", "convert", "-f", form, "-O", "raw", path, ours]).must_end_with(0)
    run(["qemu-img", "convert", "-f", form, "-O", "raw", path, theirs]).must_end_with(0)
    check_content(theirs, flushed, is_stamped)
    expect(ours.read_bytes() == theirs.read_bytes(), "qemu-img reads something else than ours")
    ours.unlink()
    theirs.unlink()


class Writing:
    """A run of the guest: its output is read while it runs."""

    def __init__(self, program, path, form, options, console=WITHOUT_MONITOR, **more):
        self.command = [str(word) for word in (
            program, "-M", "virt", "-bios", "none", *console, "-kernel", writer(),
            "-drive", f"file={path},format={form},if=none,id=d", *options)]
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.out, self.err = bytearray(), bytearray()
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.out),
                                     (self.process.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, to):
        for some in iter(lambda: os.read(stream.fileno(), 65536), b""):
            to += some

    def wait_for(self, condition, what):
        end = time.monotonic() + LIMIT_SECONDS
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                self.process.kill()
                expect(condition(), f"no {what}\n{tail(self.out.decode())}\n"
                                    f"{tail(self.err.decode())}\n    {' '.join(self.command)}")
            select.select([], [], [], 0.005)

    def end(self, status):
        """All output has come. Returns the last write that was told to be flushed."""
        try:
            found = self.process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            found = "none"
        for reader in self.readers:
            reader.join()
        self.process.stdin.close()
        said = f"{tail(self.out.decode())}\n{tail(self.err.decode())}"
        expect(found == status, f"status {found}, not {status}\n{said}")
        expect(b"FAILED" not in self.out, f"the guest saw an error\n{said}")
        return max(map(int, re.findall(rb"flushed (\d+)\r?\n", self.out)), default=0)

    def type(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def flushes(self):
        return self.out.count(b"flushed")


def killed(program, kind, number, chance):
    def case():
        image, options = KINDS[kind]
        path = WORK / f"killed-{number}.img"
        form = make_image(path, image)
        writing = Writing(program, path, form, options)
        goal = chance.randrange(1, 400)
        writing.wait_for(lambda: writing.flushes() >= goal, f"flush number {goal}")
        time.sleep(chance.random() / 500)
        writing.process.send_signal(signal.SIGKILL)
        flushed = writing.end(-signal.SIGKILL)
        check_image(program, path, form, flushed, image in ("backed", "compressed"))
        path.unlink()

    return case


def full_disk(program, kind, console):
    """The host lets files grow to 2 MiB at first. Without a monitor the guest goes on by itself."""

    def case():
        image, options = KINDS[kind]
        path = WORK / f"full-{image}{console[0]}.img"
        form = make_image(path, image)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        limit = (2 << 20, before[1])
        writing = Writing(program, path, form, options, console, preexec_fn=lambda:
                          resource.setrlimit(resource.RLIMIT_FSIZE, limit))
        writing.wait_for(lambda: writing.err.endswith(b"stands still until this works\n"),
                         "line about the full disk")
        expect(b"cannot write" in writing.err and b"File too large" in writing.err,
               f"another line: {writing.err.decode()}")
        time.sleep(0.3)  # lines that the guest wrote before come out
        flushes = writing.flushes()
        time.sleep(0.5)
        expect(writing.flushes() <= flushes + 1, "the guest goes on")
        resource.prlimit(writing.process.pid, resource.RLIMIT_FSIZE, before)
        if console == WITH_MONITOR:
            continue_in_monitor(writing)
        writing.wait_for(lambda: writing.flushes() > flushes + 20, "more flushes")
        writing.type(b"q")
        flushed = writing.end(0)
        check_image(program, path, form, flushed, image in ("backed", "compressed"))
        path.unlink()

    return case


def full_disk_by_qmp(program):
    """A client hears what the machine stopped for, and lets it go on when there is space."""
    def case():
        path, place = WORK / "full-qmp.img", WORK / "full-qmp.socket"
        form = make_image(path, "raw")
        place.unlink(missing_ok=True)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        writing = Writing(program, path, form, ["-device", "virtio-blk-device,drive=d"],
                          [*WITHOUT_MONITOR, "-qmp", f"unix:{place},server=on,wait=off", "-S"],
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                (2 << 20, before[1])))
        with connect(place, writing.process) as peer:
            client = Client(peer)
            client.receive()
            client.must("qmp_capabilities", {})
            client.must("cont", {})
            why = client.wait_for("BLOCK_IO_ERROR")
            expect((why["device"], why["operation"], why["action"], why["nospace"]) ==
                   ("d", "write", "stop", True), f"told of {why}")
            expect(client.must("query-status")["status"] == "io-error", "another state")
            expect(client.must("query-block")[0]["io-status"] == "nospace", "another status")
            resource.prlimit(writing.process.pid, resource.RLIMIT_FSIZE, before)
            client.must("cont", {})
            expect(client.must("query-block")[0]["io-status"] == "ok", "it is not ok again")
            flushes = writing.flushes()
            writing.wait_for(lambda: writing.flushes() > flushes + 20, "more flushes")
        writing.type(b"q")
        check_image(program, path, form, writing.end(0), False)
        path.unlink()

    return case


def continue_in_monitor(writing):
    writing.type(b"\x01cinfo status\n")
    writing.wait_for(lambda: b"io-error" in writing.out, "state in the monitor")
    writing.type(b"cont\n\x01c")


def writing_cases(program, seed, kills):
    chance = random.Random(seed)
    kinds = list(KINDS)
    cases = [(f"what the guest had flushed survives kill {number} of the emulator "
              f"({kinds[number % len(kinds)]})",
              killed(program, kinds[number % len(kinds)], number, random.Random(chance.random())))
             for number in range(kills)]
    cases += [(f"a full host disk stops the guest, and loses nothing ({kind})",
               full_disk(program, kind, WITHOUT_MONITOR)) for kind in kinds[:3]]
    cases.append(("a full host disk stops the guest until the monitor's cont",
                  full_disk(program, kinds[1], WITH_MONITOR)))
    cases.append(("a client of QMP hears of a full host disk, and lets the guest go on",
                  full_disk_by_qmp(program)))
    return cases
