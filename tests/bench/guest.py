"""The guests of the bench: what they are made of, and how a session in one is driven and timed."""

import hashlib
import os
import random
import re
import select
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests/bench"
WORK = ROOT / "build/bench"
CROSS = os.environ.get("CROSS_PREFIX", "riscv64-linux-gnu-") + "gcc"
BARE = ["-nostdlib", "-static", "-Wl,-N,--build-id=none,--no-warn-rwx-segments"]
# Seconds that nothing in a guest may take: no program needs a tenth of it on any host.
LIMIT_SECONDS = 600
# Rivulet's and QEMU's options for a machine without anything but a console.
MACHINE = ["-machine", "virt", "-nographic", "-smp", "1"]
DEBIAN = ("gzip xz-utils coreutils python3 perl sqlite3 openssl gcc libc6-dev grep gawk "
          "dash").split()
# What no program of the bench reads, in Debian's tree.
UNUSED = ("usr/share/doc* usr/share/man* usr/share/locale* usr/share/info* usr/lib/linux* *.a "
          "*lto* *san.so* *gprofng* */gcc/*/collect2 usr/lib/gcc/*/plugin* *gconv/*").split()


def fail(text):
    sys.exit(f"bench: {text}")


def corpus():
    """2 MB of words as text has them: few are frequent, many rare; 12 on a line."""
    chance = random.Random(1)
    letters = "eeeetttaaaooiinnsshhrrddlucmfwygpbvkxqjz"
    words = ["".join(chance.choices(letters, k=2 + min(n % 7, n // 40))) for n in range(9000)]
    lines, size = [], 0
    while size < 2_000_000:
        lines.append(" ".join(words[int(len(words) * chance.random()**3)] for _ in range(12)))
        size += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"


class Files:
    """Programs and archives, made in build/bench when they are wanted first."""

    def __init__(self):
        (WORK / "programs").mkdir(parents=True, exist_ok=True)
        self.folder = self.fetch()

    def fetch(self, *arguments):
        return subprocess.check_output([ROOT / "tools/guest", *arguments], text=True).strip()

    def compile(self, name, sources, *flags):
        """The program, compiled anew only when a source or a flag has changed."""
        program = WORK / "programs" / name
        digest = hashlib.sha256(repr(flags).encode())
        for source in [*sources, HERE / "programs/bench.h"]:
            digest.update(source.read_bytes())
        stamp = program.with_suffix(".sha256")
        if program.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
            return program
        subprocess.run([CROSS, "-O2", "-static", *flags, f"-I{HERE}/programs", *sources, "-lm",
                        "-o", program], check=True)
        stamp.write_text(digest.hexdigest())
        return program

    def bare(self, name, address, *flags):
        sources = [HERE / f"{name}.S", *HERE.glob(f"{name}.c")]
        return self.compile(name, sources, *BARE, f"-Wl,-Ttext={address:#x}", *flags)

    def flat(self):
        source = WORK / "programs/flat.c"
        text = subprocess.check_output([sys.executable, HERE / "programs/flat.py"], text=True)
        if not source.exists() or source.read_text() != text:
            source.write_text(text)
        return self.compile("flat", [source])

    def pack(self, name, *arguments):
        """The options of a machine with this initramfs."""
        archive = WORK / f"{name}.cpio"
        subprocess.run([ROOT / "tools/make-initramfs", "--busybox", f"{self.folder}/busybox",
                        "--output", archive, *arguments], check=True)
        return ["-kernel", f"{self.folder}/Image", "-initrd", str(archive)]

    def runner(self):
        return self.compile("runner", [HERE / "runner.c"])

    def shell_guest(self):
        return [*MACHINE, "-m", "512M", *self.pack("shell"), "-append", "console=ttyS0"]

    def program_guest(self, names):
        add = ["--add", f"bench/runner={self.runner()}"]
        for name in names:
            source = HERE / f"programs/{name}.c"
            program = self.flat() if name == "flat" else self.compile(name, [source])
            add += ["--add", f"bench/{name}={program}"]
        return [*MACHINE, "-m", "512M", *self.pack("programs", *add),
                "-append", "console=ttyS0 rivulet.run=runner"]

    def debian_guest(self):
        tree = self.fetch("--unpack", "bench-programs", *DEBIAN)
        (WORK / "corpus.txt").write_text(corpus())
        add = ["--add", f"debian/bench/runner={self.runner()}",
               "--add", f"debian/bench/corpus.txt={WORK}/corpus.txt",
               "--add", f"debian/bench/intmix.c={HERE}/programs/intmix.c",
               "--add", f"debian/bench/bench.h={HERE}/programs/bench.h",
               "--add", f"bench/start={HERE}/debian/start", "--tree", f"debian={tree}"]
        for path in (HERE / "debian").iterdir():
            add += ["--add", f"debian/bench/{path.name}={path}"]
        for pattern in UNUSED:
            add += ["--without", pattern]
        return [*MACHINE, "-m", "1G", *self.pack("debian", *add),
                "-append", "console=ttyS0 rivulet.run=start"]


class Ended(Exception):
    """A session that did not go as it must."""


class Session:
    """An emulator that runs, its console on pipes, pinned to one core of the host."""

    def __init__(self, command, core):
        self.command, self.text = [str(word) for word in command], ""
        self.start = time.monotonic()
        self.process = subprocess.Popen(["taskset", "-c", str(core), *self.command],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.memory_bytes = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def fail(self, why):
        raise Ended(f"{why}: {' '.join(self.command)}\n{self.text[-2000:]}")

    def read(self):
        """More text, or False at the end."""
        stream = self.process.stdout
        if not select.select([stream], [], [], LIMIT_SECONDS)[0]:
            self.fail(f"silent for {LIMIT_SECONDS} s")
        chunk = os.read(stream.fileno(), 65536).decode(errors="replace")
        self.text += chunk.replace("\r", "")
        return bool(chunk)

    def wait_for(self, pattern):
        """The match, the text before it, and the host's times as it came: seconds of the clock, and
        of processor time of the emulator. The text up to the match is forgotten."""
        while not (found := re.search(pattern, self.text)):
            if not self.read():
                self.fail(f"no /{pattern}/")
        clock = time.monotonic(), self.processor_seconds()
        before, self.text = self.text[:found.start()], self.text[found.end():]
        return found, before, clock

    def processor_seconds(self):
        """Of all threads, to the nanosecond; 0 on hosts that do not tell."""
        total = 0
        for path in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            total += int(path.read_text().split()[0])
        return total / 1e9

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def end(self):
        """Waits for the emulator's end; seconds since its start."""
        while self.read():
            pass
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.memory_bytes = usage.ru_maxrss * 1024
        if self.process.returncode != 0:
            self.fail(f"status {self.process.returncode}")
        return time.monotonic() - self.start

    def run_program(self, name):
        """Seconds, seconds of processor time, the guest's nanoseconds, and what it printed."""
        self.type(name)
        begin, _, (clock, processor) = self.wait_for(rf"bench: begin {name} 0 (\d+)\n")
        end, printed, (clock_after, processor_after) = self.wait_for(
            rf"bench: end {name} (\d+) (\d+)\n")
        if end[1] != "0":
            self.text = printed
            self.fail(f"{name} ends with status {end[1]}")
        return {"seconds": clock_after - clock, "processor": processor_after - processor,
                "guest_ns": int(end[2]) - int(begin[1]), "printed": printed.strip()}
