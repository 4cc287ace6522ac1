"""Traces of a guest that knows nothing of it: what they show of Debian, and that they change nothing."""

import re
import subprocess
from collections import Counter

from cases import ROOT, WORK, Ended, expect
from debian import BOOT_SECONDS, PROMPT
from determinism import KERNEL_ENTRY
from gdb import build_debuggee
from monitor import SWITCH, Session

UNTIL = "2s"  # behind the first programs
# How long traces are compared, by their cost: events and samples, blocks, instructions.
KINDS = [
    ("400ms", ("trap,int,return,sbi,syscall,csr,mmio,tlb,switch", "sample,every=10000")),
    ("100ms", ("profile", "coverage,format=drcov", "mix")),
    ("2ms", ("insn", "commit")),
]


def traced(program, guest, name, *specs, harts=1, until=UNTIL):
    """The end of a run, and the files that its traces wrote."""
    paths = [WORK / f"{name}-{number}.trace" for number in range(len(specs))]
    traces = [word for spec, path in zip(specs, paths)
              for word in ("-trace", f"{spec},file={path}")]
    command = [str(word) for word in (
        program, *guest.options(harts=harts, append="quiet"), "-icount", "1,sleep=off",
        "-until", until, "-hash", "-monitor", "none", "-serial", f"file:{WORK / name}.out", *traces)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=2 * BOOT_SECONDS)
    return Ended(command, done.returncode, done.stdout.decode(), done.stderr.decode()), paths


def traces_change_nothing(program, guest, harts):
    def case():
        name = f"traced-{harts}"
        for until, specs in KINDS:
            plain, _ = traced(program, guest, f"{name}-not", harts=harts, until=until)
            other, _ = traced(program, guest, name, *specs, harts=harts, until=until)
            expect(plain.state_hash() == other.state_hash(), f"the states differ: {specs}")

    return case


def system_calls_are_named(program, guest):
    def case():
        _, (path, ) = traced(program, guest, "syscalls", "syscall,sbi")
        text = path.read_text(encoding="ascii")
        for what in (r"syscall openat\(AT_FDCWD, \"/init\", O_RDONLY\|O_CLOEXEC, 0\)",
                     r"syscall execve\(\"/bin/busybox\", 0x", r"syscall symlinkat\(\"",
                     r"syscall readlinkat = -2 ENOENT", r"syscall brk = 0x",
                     r"sbi base\.probe_extension\(0x4442434e, "):
            expect(re.search(what, text), f"no {what} in {path}")
        expect("syscall_" not in text, "calls without a name")

    return case


def profiles_name_functions(program, guest):
    """A kernel without symbols gets two, of where it starts and of all that follows."""

    def case():
        names = WORK / "kernel.map"
        names.write_text(f"{KERNEL_ENTRY:x} T entry_of_kernel\n{KERNEL_ENTRY + 0x1000:x} T kernel\n",
                         encoding="ascii")
        profile = WORK / "profile.folded"
        command = [str(word) for word in (
            program, *guest.options(append="quiet"), "-icount", "1,sleep=off", "-until", "1ms",
            "-monitor", "none", "-serial", "null", "-symbols", names,
            "-trace", f"profile,priv=s,file={profile}")]
        subprocess.run(command, capture_output=True, check=True, timeout=2 * BOOT_SECONDS)
        lines = profile.read_text(encoding="ascii").splitlines()
        expect(lines and all(re.fullmatch(r"supervisor(;\S+)+ \d+", line) for line in lines), "the form")
        expect(any("entry_of_kernel" in line for line in lines), "no function has a name")

    return case


def debuggee_traced(program, name, spec):
    """What a trace of the debuggee's run writes into a file of this name."""
    debuggee, path = build_debuggee(), WORK / name
    command = [str(word) for word in (
        program, "-machine", "virt", "-bios", "none", "-kernel", debuggee, "-display", "none",
        "-serial", "null", "-monitor", "none", "-icount", "1", "-symbols", debuggee,
        "-trace", f"{spec},file={path}")]
    subprocess.run(command, capture_output=True, check=True, timeout=BOOT_SECONDS)
    return path


def profiles_name_lines(program):
    """lines=on divides what each function has among its lines, and changes nothing else."""
    def case():
        source = ROOT / "tests/guests/debuggee.c"
        for spec in ("profile", "sample,every=100"):
            stacks, lines = Counter(), Counter()
            for row in debuggee_traced(program, "by-lines", f"{spec},lines=on").read_text(
                    encoding="ascii").splitlines():
                stack, count = row.rsplit(" ", 1)
                found = re.fullmatch(r"(.*);([^;]*:\d+)", stack)
                stacks[found.group(1) if found else stack] += int(count)
                lines[found.group(2) if found else None] += int(count)
            for row in debuggee_traced(program, "by-functions", spec).read_text(
                    encoding="ascii").splitlines():
                stack, count = row.rsplit(" ", 1)
                expect(stacks.pop(stack) == int(count), f"{spec}: the lines of {stack}")
            expect(not stacks, f"{spec}: there are {stacks} too")
            hottest = max(lines, key=lines.get)
            expect(hottest.startswith(f"{source}:"), f"{spec}: most ran {hottest}")

    return case


def lines_of_source(program):
    """The debuggee's loop counts itself; genhtml takes what is written."""
    def case():
        path = debuggee_traced(program, "lines.info", "coverage")
        text = path.read_text(encoding="ascii")
        source = ROOT / "tests/guests/debuggee.c"
        expect(f"SF:{source}\n" in text, f"no record of {source}")
        for line, words in enumerate(source.read_text(encoding="ascii").splitlines(), 1):
            for part, count in (("counters[hart]++;", 2000), ("return round * 2", 2000),
                                ("asm volatile(\"ecall\"", 2000),
                                    ("asm volatile(\"wfi\")", 0)):
                if part in words:
                    expect(f"DA:{line},{count}\n" in text, f"line {line} did not run {count} times")
        expect(re.search(r"FN:\d+,count\nFNDA:2000,count\n", text), "no function")
        subprocess.run(["genhtml", "-q", "-o", WORK / "lines", path], check=True,
                       stdout=subprocess.DEVNULL)
        page = "".join(file.read_text(encoding="utf-8")
                       for file in (WORK / "lines").rglob("debuggee.c.gcov.html"))
        expect(re.search(r"2000 :\s+counters\[hart\]\+\+", page), "genhtml does not show the count")

    return case


def switched_by_the_monitor(program, guest):
    def case():
        path = WORK / "monitor.trace"
        with Session([program, *guest.options(append="quiet")]) as session:
            session.wait_for(PROMPT, BOOT_SECONDS)
            session.ask(SWITCH, "(rivulet) ")
            session.ask(f"trace syscall,file={path}\r".encode(), "(rivulet) ")
            session.ask(b"trace\r", f"1: syscall,file={path}")
            session.ask(SWITCH + b"cat /nonexistent\r", "No such file")
            session.ask(SWITCH, "(rivulet) ")
            session.ask(b"trace off 1\r", "(rivulet) ")
            session.ask(b"trace\r", "There are no traces.")
            session.type(b"quit\r")
            session.must_end(0)
        text = path.read_text(encoding="ascii")
        expect("/nonexistent" in text and "ENOENT" in text, f"no such call in {path}")

    return case


def trace_cases(program, guest):
    cases = [(f"traces of {harts} hart(s) change nothing", traces_change_nothing(program, guest, harts))
             for harts in (1, 4)]
    return cases + [
        ("a trace names a guest's system and SBI calls", system_calls_are_named(program, guest)),
        ("an exact profile names the functions of a kernel", profiles_name_functions(program, guest)),
        ("coverage counts the lines of a guest's source", lines_of_source(program)),
        ("a profile divides functions into lines of source", profiles_name_lines(program)),
        ("the monitor begins and ends a trace", switched_by_the_monitor(program, guest)),
    ]
