"""Semihosting of programs of `rivulet exec`."""

import functools
import os
import shutil
import signal
import subprocess

from cases import ROOT, Skip, expect, run, tail
from compiling import compile_bare

WORK = ROOT / "build" / "exec"
STATUS = 77  # of tests/guests/semihosting.c


def build():
    compiler = os.environ.get("CROSS_PREFIX", "riscv64-linux-gnu-") + "gcc"
    compile_bare("tests/guests/semihosting.c", WORK / "bare-system", "-DAS_PROCESS", "-Wl,-N")
    subprocess.run([compiler, "-O1", "-w", "-static", ROOT / "tests/exec/bare.c", "-o",
                    WORK / "bare"], check=True)


def place(name, *files):
    """A folder with nothing but these files, which say what they are called."""
    folder = WORK / "bare-places" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_text(f"{file}\n")
    return folder


def in_folder(folder, command, status):
    """All that the program said; of both streams, as qemu-riscv64 writes to either."""
    words = " ".join(f"'{word}'" for word in command)
    ended = run(["sh", "-c", f"cd '{folder}' && exec {words} 2>&1"], 60)
    return ended.must_end_with(status).out


def same_as_qemu(rivulet):
    def case():
        qemu = shutil.which("qemu-riscv64")
        if not qemu:
            raise Skip("qemu-riscv64 is not installed (qemu-user)")
        program = [WORK / "bare-system", "with", "words"]
        ours = in_folder(place("ours"), [rivulet, "exec", *program], STATUS)
        theirs = in_folder(place("theirs"), [qemu, *program], STATUS)
        expect(ours == theirs and "read beyond the end" in ours,
               f"ours\n{tail(ours, 60)}\nQEMU's\n{tail(theirs, 60)}")
    return case


def names(rivulet, where, options, expected, left):
    """What comes of names under these options, and which files are left."""
    def case():
        outside = place(f"names-{where}", "secret")
        folder = outside / "inside"
        folder.mkdir()
        (folder / "file").write_text("file\n")
        (folder / "link").symlink_to("../secret")
        shutil.copy(WORK / "bare", folder)
        command = [rivulet, "exec", *(o.replace("INSIDE", str(folder)) for o in options),
                   "/bare" if "--root" in options else folder / "bare", "names", "file", "link",
                   "../secret", outside / "secret"]
        out = in_folder(folder, command, 5).replace(str(outside), "OUTSIDE")
        expect(out == expected, tail(out, 40))
        expect((outside / "secret").read_text() == "secret\n", "the file outside was changed")
        files = sorted(str(f.relative_to(outside)) for f in outside.rglob("*") if f.name != "bare")
        expect(files == left, f"there is now {files}")
    return case


def says(rivulet, what, expected):
    def case():
        out = in_folder(place(f"says-{what}"), [rivulet, "exec", WORK / "bare", what], 5)
        expect(out == expected, tail(out, 40))
    return case


def traps(rivulet):
    ended = run([rivulet, "exec", "-semihosting-config", "off", WORK / "bare", "memory"], 60)
    expect("call_host+" in ended.must_end_with(-signal.SIGTRAP).err, tail(ended.err))


def waits(rivulet):
    def case():
        folder = place("waits")
        command = [str(word) for word in (rivulet, "exec", WORK / "bare", "input")]
        with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as program:
            expect(program.stdout.readline() == "alarm\n", "no handler ran")
            out, _ = program.communicate("xy", 60)
        expect(out == "a byte = 120\na byte = 121\nthe end = -1 EIO\n" and program.returncode == 5,
               f"status {program.returncode}\n{tail(out)}")
    return case


KEPT = "length = 8\nleft over = 0\ncontent\n kept{}\n"


def results(name, text, read, others):
    """What bare.c says of a name that it could read, or not; the rest came to an end likewise."""
    return (f"{name}: {text} = {read}\n  to write = {others}\n  rename = {others}\n"
            f"  remove = {others}\n")


NOT_THERE, READ_ONLY = "-1 ENOENT", "-1 EROFS"
# Names are resolved within: the link's target is made there, and found as ../secret.
INSIDE = (results("file", "file\n", 0, 0) + results("link", "", NOT_THERE, 0) +
          results("../secret", "written\n", 0, 0) +
          results("OUTSIDE/secret", "", NOT_THERE, NOT_THERE))
UNCHANGED = results("file", "file\n", 0, READ_ONLY) + "".join(
    results(name, "secret\n", 0, READ_ONLY) for name in ("link", "../secret", "OUTSIDE/secret"))


def cases(rivulet):
    return [
        ("a bare program gets from semihosting what qemu-riscv64 gives", same_as_qemu(rivulet)),
        ("it has memory to its heap's end, and no shell",
         says(rivulet, "memory", "heap = 0\nis the same again = 1\nhas 1 MiB at least = 1\n"
              "the stack is where it says = 1\nnowhere = -1 EFAULT\n"
              "system = -1 EPERM\n")),
        ("its files are within a root", names(
            rivulet, "root", ["--root", "INSIDE"], INSIDE, ["inside", "secret"])),
        ("its files are within a folder of their own", names(
            rivulet, "folder", ["-semihosting-config", "enable=on,dir=INSIDE"], INSIDE,
            ["inside", "secret"])),
        ("it changes none under --read-only", names(
            rivulet, "read-only", ["--read-only"], UNCHANGED,
            ["inside", "inside/file", "inside/link", "secret"])),
        ("nor in a folder of their own", names(
            rivulet, "read-only-folder", ["--read-only", "-semihosting-config", "dir=INSIDE"],
            results("file", "file\n", 0, READ_ONLY) +
            "".join(results(name, "", NOT_THERE, READ_ONLY)
                    for name in ("link", "../secret", "OUTSIDE/secret")),
            ["inside", "inside/file", "inside/link", "secret"])),
        ("a signal is handled while it waits for a byte", waits(rivulet)),
        ("its files are not among the descriptors that it can close",
         says(rivulet, "kept", KEPT.format(""))),
        ("a program that takes its place has a command line of its own",
         says(rivulet, "again", KEPT.format(" twice"))),
        ("without semihosting the ebreak is one",
         functools.partial(traps, rivulet)),
    ]
