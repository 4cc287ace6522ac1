"""What makes a disk of Debian in steps: programs with a log, Rivulet for what must run on riscv64,
and a folder in which every step leaves its result under its name when it is whole.

tools/make-debian-disk and tools/make-debian-desktop are the recipes."""

import argparse
import fcntl
import hashlib
import io
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parent
RIVULET = TOOLS.parent / "build/rivulet"
DISK_BYTES = 8 << 30
WORK_BYTES = 3 << 30
PARTITION_START = 1 << 20
FINISHED = b"rivulet: finished"


class Failure(Exception):
    """Why there is no disk, and what to do."""


def say(text):
    print(f"debian: {text}", file=sys.stderr, flush=True)


class Progress:
    """One line on a terminal, or a line now and then where there is none."""

    def __init__(self, title):
        self.title, self.start, self.shown = title, time.monotonic(), 0.0
        self.live = sys.stderr.isatty()
        say(title)

    def show(self, text):
        now = time.monotonic()
        if now - self.shown < (0.2 if self.live else 20):
            return
        self.shown = now
        line = f"debian:   {now - self.start:4.0f} s  {text}"[:79]
        sys.stderr.write(f"\r{line:79}" if self.live else line + "\n")
        sys.stderr.flush()

    def done(self):
        line = f"debian:   {time.monotonic() - self.start:4.0f} s  done"
        sys.stderr.write(f"\r{line:79}\n" if self.live else line + "\n")
        sys.stderr.flush()


class Recipe:
    """A disk: the name of its folder in the cache; `files`, what it is made of beside packages;
    `programs` that it takes; its steps (name of the result, function), of which the last makes the
    disk; and which results are kept, the disk last: with it all is there."""

    def __init__(self, program, name, files, programs, steps, kept):
        self.program, self.name, self.files, self.programs = Path(program), name, files, programs
        self.steps, self.kept = steps, kept

    def digest(self):
        """What a half-made disk depends on: with another recipe it is of no use."""
        digest = hashlib.sha256()
        for path in sorted([self.program, *HERE.rglob("*"), *self.files.rglob("*")]):
            if path.is_file():
                digest.update(path.read_bytes())
        return digest.hexdigest()


class Maker:
    """The folders, the lock, and the log that all programs write to."""

    def __init__(self, recipe, folder, mirror, lock):
        self.recipe, self.mirror, self.lock = recipe, mirror, lock
        self.folder, self.work = folder, folder / "work"
        self.debs = folder.parent / "debs"
        self.log = None

    def result(self, name):
        return self.work / name

    def run(self, *command, progress=None):
        """Runs a program; its lines go to the log and, as they come, to `progress`. It and its
        children end when this program is interrupted. They hold the lock too: if this program is
        killed, the next run waits for them."""
        words = [str(word) for word in command]
        self.log.write(f"$ {' '.join(words)}\n".encode())
        tell = follow(progress) if progress else None
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, start_new_session=True,
                              pass_fds=(self.lock.fileno(),)) as process:
            try:
                for line in process.stdout:
                    self.log.write(line)
                    if tell:
                        tell(line)
            except BaseException:
                end_group(process)
                raise
        if process.returncode != 0:
            raise Failure(f"{words[0]} ended with status {process.returncode}; "
                          f"{self.log.name} says why")


def follow(progress):
    """Counts what debootstrap and dpkg say of packages."""
    counts = {}

    def tell(line):
        said = re.match(rb"(?:I: )?(Retrieving|Validating|Extracting|Unpacking|Configuring|Setting up) "
                        rb"(\S+?)[.: ]", line)
        if said and b" packages..." not in line and b" system..." not in line:
            verb, name = said[1].decode().lower(), said[2].decode(errors="replace")
            counts[verb] = counts.get(verb, 0) + 1
            progress.show(f"{verb} package {counts[verb]}: {name}")

    return tell


def end_group(process):
    """Ends a program and its children as Ctrl-C would, after which fakeroot and debootstrap clean
    up, or by force."""
    for number, seconds in ((signal.SIGINT, 10), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            pass
        except ProcessLookupError:
            return


# --- packages --------------------------------------------------------------------------------


def unpacked(member, content):
    """A member of a package, without compression."""
    name, dot, kind = member.rpartition(".")
    return (name, lzma.decompress(content)) if dot and kind == "xz" else (member, content)


def ar_members(data):
    """name -> content, of an ar archive as Debian's packages are."""
    at = 8
    while at < len(data):
        name, size = data[at:at + 16].decode().rstrip(" /"), int(data[at + 48:at + 58])
        yield name, data[at + 60:at + 60 + size]
        at += 60 + size + size % 2


def unpack_package(path):
    """Packs a package again without compression. The host unpacks in seconds what takes an emulated
    hart minutes."""
    packed = io.BytesIO()
    packed.write(b"!<arch>\n")
    for member, content in ar_members(path.read_bytes()):
        name, content = unpacked(member, content)
        packed.write(f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
        packed.write(content + b"\n" * (len(content) % 2))
    fresh = path.with_suffix(".new")
    fresh.write_bytes(packed.getvalue())
    fresh.replace(path)


def unpack_packages(archives, progress):
    paths = sorted(archives.glob("*.deb"))
    for number, path in enumerate(paths, 1):
        progress.show(f"unpacking package {number} of {len(paths)}")
        unpack_package(path)


# --- what must run on riscv64 ------------------------------------------------------------------


def make_initramfs(maker, guest, finish):
    path = maker.work / "initramfs.cpio"
    order = (guest / "modules/order").read_text(encoding="ascii").split()
    files = {f"modules/{name}": guest / "modules" / name for name in ["order", *order]}
    files["finish"] = finish
    adds = [word for name, file in files.items() for word in ("--add", f"{name}={file}")]
    maker.run(TOOLS / "make-initramfs", "--init", HERE / "init", "--busybox", guest / "busybox",
              "--output", path, *adds)
    return path


def finish_in_guest(maker, fresh, base, base_format, finish, progress, more=()):
    """The script `finish` runs as root of the disk, on an overlay that is thrown away when it is
    interrupted; so that nothing need be durable before its end."""
    guest = Path(subprocess.check_output([TOOLS / "guest", "--mirror", maker.mirror],
                                         text=True).strip())
    maker.run(RIVULET, "img", "create", "-q", "-f", "qcow2", "-b", base, "-F", base_format, fresh)
    maker.run(RIVULET, "-nographic", "-m", "1G", "-kernel", guest / "Image",
              "-initrd", make_initramfs(maker, guest, finish), "-append", "console=ttyS0 quiet",
              "-drive", f"file={fresh},format=qcow2,if=none,id=d0,cache=unsafe,discard=unmap",
              "-device", "virtio-blk-device,drive=d0", *more, progress=progress)
    with open(maker.log.name, "rb") as log:
        log.seek(-4096, os.SEEK_END)
        if FINISHED not in log.read():
            raise Failure(f"the guest did not finish; {maker.log.name} says why")
    progress.done()


def pack_disk(maker, fresh):
    """Checks the file system, and leaves overlay and garbage behind."""
    last = len(maker.recipe.steps)
    progress = Progress(f"step {last} of {last}: checking and packing the disk")
    raw = maker.work / "flat"
    maker.run(RIVULET, "img", "convert", "-q", "-O", "raw", maker.result("finished"), raw)
    maker.run("e2fsck", "-f", "-n", f"{raw}?offset={PARTITION_START}")
    maker.run(RIVULET, "img", "convert", "-q", "-O", "qcow2", raw, fresh)
    raw.unlink()
    progress.done()


# --- a disk in steps ---------------------------------------------------------------------------


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make(maker):
    stamp = maker.work / "recipe"
    if not stamp.exists() or stamp.read_text(encoding="ascii") != maker.recipe.digest():
        remove(maker.work)
        maker.work.mkdir(parents=True)
        stamp.write_text(maker.recipe.digest(), encoding="ascii")
    with open(maker.folder / "log", "ab", buffering=0) as maker.log:
        for name, step in maker.recipe.steps:
            if maker.result(name).exists():
                continue
            fresh = maker.work / f"{name}.new"
            remove(fresh)
            step(maker, fresh)
            fresh.rename(maker.result(name))
    for name in maker.recipe.kept:
        maker.result(name).replace(maker.folder / name)
    remove(maker.work)


def host_mirror(label="Debian"):
    """The mirror of the host's own apt; empty: there is none."""
    return subprocess.check_output([TOOLS / "guest", "--print-mirror", label], text=True).strip()


def check_host(recipe, folder, mirror):
    for program in recipe.programs:
        if not shutil.which(program):
            raise Failure(f"{program} is missing: tools/install-deps debian")
    if not RIVULET.exists():
        raise Failure("build/rivulet is missing: tools/build release")
    free = shutil.disk_usage(folder).free
    if free < WORK_BYTES:
        raise Failure(f"{folder} has {free >> 20} MB left; {WORK_BYTES >> 20} MB are needed while "
                      "the disk is made")
    if not mirror:
        raise Failure(f"apt of this host has no Debian mirror: {recipe.program} --mirror URL")


def make_locked(recipe, folder, mirror, again):
    """Only one at a time; who waited finds the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run makes the disk; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if again or not (folder / "disk.qcow2").exists():
            mirror = mirror or host_mirror()
            check_host(recipe, folder, mirror)
            say("the first time takes some minutes; it may be interrupted and goes on later")
            make(Maker(recipe, folder, mirror, lock))
            say(f"ready: {folder}/disk.qcow2")


def main(recipe, doc):
    """The program of a recipe."""
    parser = argparse.ArgumentParser(description=doc.split("\n", maxsplit=1)[0])
    parser.add_argument("--mirror", help="where Debian's packages are (default: as the host's apt)")
    parser.add_argument("--again", action="store_true", help="make a new disk; the old one is lost")
    args = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # Debian's users do not have mke2fs there
    os.environ["LC_ALL"] = "C.UTF-8"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rivulet"
    folder = cache / recipe.name
    try:
        make_locked(recipe, folder, args.mirror, args.again)
    except KeyboardInterrupt:
        sys.exit("\ndebian: interrupted; the next run goes on here")
    except (Failure, OSError, subprocess.CalledProcessError, lzma.LZMAError) as error:
        sys.exit(f"\ndebian: {error}")
    print(folder)
