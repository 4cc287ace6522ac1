"""The Debian guest, and how a session on its console is driven in Rivulet and in QEMU."""

import os
import select
import subprocess
import time

from cases import ROOT, WORK, Ended, Failure, expect, run, tail

PROMPT = "~ # "
# A boot on a loaded machine; the steps after it are quick.
BOOT_SECONDS, STEP_SECONDS = 180, 60


class Guest:
    """Files of tools/guest, and an initramfs made of them."""

    def __init__(self):
        found = subprocess.run([ROOT / "tools/guest"], stdout=subprocess.PIPE, check=True, text=True)
        self.folder = found.stdout.strip()
        self.kernel = f"{self.folder}/Image"
        self.busybox = f"{self.folder}/busybox"
        WORK.mkdir(parents=True, exist_ok=True)
        self.initramfs = self.pack("initramfs.cpio", {})

    def pack(self, name, files):
        """Makes an initramfs of busybox, the modules, and more files (name in the guest: file)."""
        archive = str(WORK / name)
        more = [word for name, file in files.items() for word in ("--add", f"{name}={file}")]
        subprocess.run([ROOT / "tools/make-initramfs", "--busybox", self.busybox,
                        "--output", archive, *self.modules(), *more], check=True)
        return archive

    def modules(self):
        """What disks and networks need, for the initramfs: load_modules() says how to load it."""
        folder = f"{self.folder}/modules"
        with open(f"{folder}/order", encoding="ascii") as order:
            names = order.read().split()
        words = [f"modules/order={folder}/order"] + [f"modules/{n}={folder}/{n}" for n in names]
        return [word for name in words for word in ("--add", name)]

    def firmware(self, name):
        return f"{self.folder}/{name}"

    def options(self, append="", harts=1):
        return ["-machine", "virt", "-nographic", "-m", "512M", "-smp", str(harts),
                "-kernel", self.kernel, "-initrd", self.initramfs,
                "-append", f"console=ttyS0 {append}".strip()]


def session(*pairs):
    """The lines of a console script: for each pair (command, answer), wait for the prompt, type the
    command and wait for the answer. An answer must not occur in its command's echo."""
    lines = [f"timeout {BOOT_SECONDS + STEP_SECONDS * len(pairs)}s", 'fail "Kernel panic"']
    for number, (command, answer) in enumerate(pairs):
        lines.append(f'expect "{PROMPT}" within {STEP_SECONDS if number else BOOT_SECONDS}s')
        quoted = command.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'send "{quoted}\\n"')
        lines.append(f'expect "{answer}" within {STEP_SECONDS}s')
    return lines


def load_modules():
    """The first pair of a session that uses disks or networks."""
    return ("for m in $(cat /modules/order); do insmod /modules/$m; done; echo loaded=$?", "loaded=0")


class Rivulet:
    """Runs sessions with the scripted console; `wrapper` is a command that runs the program."""

    def __init__(self, program, wrapper=()):
        self.command = [*wrapper, program]

    def run(self, name, options, pairs, limit=600):
        script = WORK / f"{name}.script"
        script.write_text("\n".join(session(*pairs)) + "\n")
        return run([*self.command, *options, "-script", script], limit)


class Qemu:
    """Runs the same sessions in QEMU: shows that the tests themselves are right."""

    def __init__(self, program):
        self.program = program

    def run(self, _name, options, pairs, limit=600):
        command = [self.program, *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            console = Console(process.stdout)
            try:
                for number, (typed, answer) in enumerate(pairs):
                    console.wait_for(PROMPT, STEP_SECONDS if number else BOOT_SECONDS)
                    process.stdin.write(typed.encode() + b"\n")
                    process.stdin.flush()
                    console.wait_for(answer, STEP_SECONDS)
                process.wait(min(limit, STEP_SECONDS))
            finally:
                process.kill()
        return Ended(command, process.returncode, console.text, "")


class Console:
    """What a program writes, searched once from its beginning to its end."""

    def __init__(self, stream):
        self.stream, self.text, self.seen = stream.fileno(), "", 0

    def wait_for(self, answer, seconds):
        end = time.monotonic() + seconds
        while (found := self.text.find(answer, self.seen)) < 0:
            ready = select.select([self.stream], [], [], max(0, end - time.monotonic()))[0]
            chunk = os.read(self.stream, 65536) if ready else b""
            if not chunk:
                raise Failure(f"no {answer!r} within {seconds} s\n{tail(self.text)}")
            self.text += chunk.decode(errors="replace")
        self.seen = found + len(answer)

    def rest_of_line(self, seconds=STEP_SECONDS):
        start = self.seen
        self.wait_for("\n", seconds)
        return self.text[start:self.seen - 1]


def elf_entry(path):
    """The address at which a 64-bit ELF program starts."""
    with open(path, "rb") as file:
        header = file.read(64)
    expect(header[:5] == b"\x7fELF\x02", f"{path} is no 64-bit ELF program")
    return int.from_bytes(header[24:32], "little")
