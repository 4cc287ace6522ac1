"""A program with no system calls its host (semihosting.c), in Rivulet and in QEMU."""

import shutil

from cases import WORK, expect, run, tail
from compiling import compile_bare
from writing import made_once

STATUS = 77


@made_once
def program():
    return compile_bare("tests/guests/semihosting.c", WORK / "semihosting",
                        "-Wl,-N,-Ttext=0x80000000")


def empty_folder(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def call(emulator, config, name, *more):
    """What the program says, run in an empty folder; it leaves nothing there."""
    folder = empty_folder(f"semihosting-{name}")
    words = config.replace("FOLDER", str(folder))
    command = [emulator, "-M", "virt", "-nographic", "-bios", "none", "-semihosting-config",
               f"enable=on,arg=program,arg=with,arg=words{words}", "-kernel", program(), *more]
    ended = run(["env", "-C", folder, *command], 30).must_end_with(STATUS)
    expect(not list(folder.iterdir()), f"files were left\n{tail(ended.out)}\n{ended}")
    return ended.out


def same(rivulet):
    def case():
        ours = call(rivulet, ",dir=FOLDER", "ours")
        expect("some text" not in ours and "characters" in ours, tail(ours))
        expect(call(rivulet, ",dir=FOLDER", "counted", "-icount", "1") == ours, tail(ours))
        end = ["-chardev", "stdio,id=c", "-serial", "none", "-monitor", "none"]
        expect(call(rivulet, ",chardev=c,dir=FOLDER", "end", *end) == ours, tail(ours))
        theirs = call("qemu-system-riscv64", ",chardev=c", "theirs", *end)
        expect(ours == theirs, f"ours\n{tail(ours, 60)}\nQEMU's\n{tail(theirs, 60)}")

    return case


def without_files(rivulet):
    def case():
        ours = call(rivulet, "", "none")
        expect("open missing = -1\n  errno = 13" in ours and "rename = -1" in ours, tail(ours, 60))

    return case


def semihosting_cases(rivulet):
    return [
        ("a program without a system gets from semihosting what QEMU gives", same(rivulet)),
        ("without a folder it has no files", without_files(rivulet)),
    ]
