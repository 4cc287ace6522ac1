"""Traces of a guest that knows nothing of it: what they show of Debian, and that they change nothing."""

import re
import subprocess

from cases import WORK, Ended, expect
from debian import BOOT_SECONDS, PROMPT, elf_entry
from monitor import SWITCH, Session

UNTIL = "2s"  # behind the first commands of the shell


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
        plain, _ = traced(program, guest, f"{name}-not", harts=harts)
        events, _ = traced(program, guest, name, "syscall,trap,int,return,sbi,csr,mmio,tlb,switch",
                           "sample,every=10000", harts=harts)
        profiled, _ = traced(program, guest, name, "profile", "coverage,format=drcov", harts=harts)
        for other in (events, profiled):
            expect(plain.state_hash() == other.state_hash(), "the states differ")
        part = dict(harts=harts, until="4ms")
        plain, _ = traced(program, guest, f"{name}-not", **part)
        steps, _ = traced(program, guest, name, "insn", "commit", **part)
        expect(plain.state_hash() == steps.state_hash(), "the states differ by instructions")

    return case


def system_calls_are_named(program, guest):
    def case():
        _, (path, ) = traced(program, guest, "syscalls", "syscall,sbi")
        text = path.read_text(encoding="ascii")
        for what in (r"syscall openat\(AT_FDCWD, \"/init\", O_RDONLY\|O_CLOEXEC, 0\)",
                     r"syscall execve\(\"/[a-z/]*\", 0x", r"syscall write\(1, \"",
                     r"syscall readlinkat = -2 ENOENT", r"sbi time\.set_timer\(0x",
                     r"sbi dbcn\.|sbi base\.probe_extension"):
            expect(re.search(what, text), f"no {what} in {path}")
        calls = text.count("(") - text.count("sbi ") // 2
        expect(calls > 100, f"{calls} calls")
        expect("syscall_" not in text, "calls without a name")

    return case


def profiles_name_functions(program, guest):
    """busybox is static: its symbols, when it has any, else its entry as a symbol of our own."""

    def case():
        names = WORK / "busybox.map"
        names.write_text(f"{elf_entry(guest.busybox):x} T entry_of_busybox\n", encoding="ascii")
        profile = WORK / "profile.folded"
        command = [str(word) for word in (
            program, *guest.options(append="quiet"), "-icount", "1,sleep=off", "-until", UNTIL,
            "-monitor", "none", "-serial", "null", "-symbols", names,
            "-trace", f"profile,priv=u,file={profile}")]
        subprocess.run(command, capture_output=True, check=True, timeout=2 * BOOT_SECONDS)
        lines = profile.read_text(encoding="ascii").splitlines()
        expect(lines and all(re.fullmatch(r"user(;\S+)+ \d+", line) for line in lines), "the form")
        expect(any("entry_of_busybox" in line for line in lines), "no function has a name")

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
        ("an exact profile names the functions of a program", profiles_name_functions(program, guest)),
        ("the monitor begins and ends a trace", switched_by_the_monitor(program, guest)),
    ]
