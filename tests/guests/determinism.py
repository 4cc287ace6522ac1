"""The state after the same virtual time is the same, however the run got there."""

import random
from functools import cache

from cases import WORK, expect, run
from debian import elf_entry, session

KERNEL_ENTRY = 0x80200000
# Virtual ns: past the shell's first commands; and, for the slow stress mode, into the kernel's boot.
LONG_NS, SHORT_NS = 4_000_000_000, 60_000_000


class Runs:
    """Runs of one guest to a state hash; straight runs are made once."""

    def __init__(self, programs, guest):
        self.programs = programs  # name of the compiler -> program
        self.guest = guest
        WORK.mkdir(parents=True, exist_ok=True)
        self.script = WORK / "determinism.script"
        # Typed input is part of the state; the session outlives the run.
        lines = session(("echo sum=$(seq 3000 | md5sum | cut -c1-8)", "sum="), ("sleep 1000", "~~"))
        self.script.write_text("\n".join(lines) + "\n")
        self.straight = cache(self.hash_of)

    def hash_of(self, compiler, harts, until_ns, *extra):
        command = [self.programs[compiler], *self.guest.options(harts=harts), "-icount", "shift=1",
                   "-script", self.script, "-until", until_ns, "-hash", *extra]
        return run(command, 900).state_hash()

    def compare(self, compiler, harts, until_ns, *extra):
        straight = self.straight("gcc", harts, until_ns)
        other = self.hash_of(compiler, harts, until_ns, *extra)
        expect(straight == other, f"{straight} in a straight run, {other} with {extra or compiler}")


def determinism_cases(programs, guest, seed, long):
    runs = Runs(programs, guest)
    chance = random.Random(seed)
    user_entry = elf_entry(guest.busybox)
    cases = []

    def add(sentence, *arguments):
        cases.append((sentence, lambda: runs.compare(*arguments)))

    for harts in (1, 4):
        where = f"with {harts} hart(s)"
        add(f"two runs {where} end in the same state", "gcc", harts, LONG_NS)
        if "clang" in programs:
            add(f"a build by clang {where} ends in the same state", "clang", harts, LONG_NS)
        for _ in range(10 if long else 2):
            at_ns = chance.randrange(LONG_NS)
            add(f"saving and loading at {at_ns} ns {where} changes nothing",
                "gcc", harts, LONG_NS, "-save-load", at_ns)
        several = [word for _ in range(5) for word in ("-save-load", chance.randrange(LONG_NS))]
        add(f"saving and loading five times {where} changes nothing",
            "gcc", harts, LONG_NS, *several)
        add(f"breakpoints in kernel and programs {where} change nothing",
            "gcc", harts, LONG_NS, "-break", hex(KERNEL_ENTRY), "-break", hex(user_entry))
        add(f"stress {where} changes nothing", "gcc", harts, SHORT_NS, "-stress")
        add(f"stress, saving, loading and breakpoints {where} change nothing",
            "gcc", harts, SHORT_NS, "-stress", "-break", hex(KERNEL_ENTRY),
            "-save-load", chance.randrange(SHORT_NS))
        if long:
            add(f"stress through the whole boot {where} changes nothing",
                "gcc", harts, LONG_NS, "-stress")
    return cases
