"""Linux counts events of a program, and is interrupted when a counter overflows (counting.c)."""

import os
import re
import subprocess

from cases import ROOT, WORK, expect
from debian import Rivulet

LOOP = 2000000  # instructions
CALLS = 100  # more than those around the two system calls
PERIOD = 100000


def count(rivulet, guest):
    def case():
        program = WORK / "counting"
        compiler = os.environ.get("CROSS_PREFIX", "riscv64-linux-gnu-") + "gcc"
        flags = "-march=rv64gc -mabi=lp64d -O2 -ffreestanding -fno-pic -no-pie -fno-stack-protector"
        subprocess.run([compiler, *flags.split(), "-nostdlib", "-static", "-Wall", "-Wextra",
                        "-Werror", ROOT / "tests/guests/counting.c", "-o", program], check=True)
        options = guest.options() + ["-cpu", "max", "-icount", "shift=1",
                                     "-initrd", guest.pack("counting.cpio", {"bin/counting": program})]
        ended = Rivulet(rivulet).run("counting", options, [
            ("counting; echo done=$?", "done=0"),
            ("awk '/riscv-pmu/ { print \"interrupts=\" $2 }' /proc/interrupts", "interrupts="),
            ("poweroff -f", "reboot: Power down")]).must_end_with(0)
        found = {name: int(number) for name, number in
                 re.findall(r"(instructions|sampled|interrupts)=(-?\d+)\r", ended.out)}
        expect(LOOP <= found["instructions"] < LOOP + CALLS, f"counted {found}")
        expect(LOOP <= found["sampled"] < LOOP + LOOP // PERIOD * CALLS, f"counted {found}")
        expect(found["interrupts"] == found["sampled"] // PERIOD, f"counted {found}")

    return case


def counting_cases(rivulet, guest):
    return [("Linux counts a program's instructions, and a counter interrupts it each period",
             count(rivulet, guest))]
