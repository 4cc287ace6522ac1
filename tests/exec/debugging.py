"""Programs of `rivulet exec` under the real gdb, and traced."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from cases import ROOT, expect, tail
from gdb import debugged

WORK = ROOT / "build" / "exec"
SECONDS = 60  # for one step


def compiler():
    return os.environ.get("CROSS_PREFIX", "riscv64-linux-gnu-") + "gcc"


def build():
    for name, more in (("dynamic", []), ("static", ["-static"])):
        subprocess.run([compiler(), "-g", "-O1", "-fno-inline", "-fno-optimize-sibling-calls",
                        *more, ROOT / "tests/exec/debugged.c", "-o", WORK / name], check=True)


def tree():
    """Where the compiler's own libraries are, in lib/."""
    found = subprocess.run([compiler(), "-print-file-name=libc.so.6"], check=True,
                           capture_output=True, text=True).stdout.strip()
    return Path(found).resolve().parent.parent


@contextmanager
def session(rivulet, program, *args, options=("-S",)):
    """A program that stands at its beginning, and a gdb that was told nothing but where it is."""
    command = [rivulet, "exec", *options, "-L", tree()]
    with debugged(command, WORK / program, *args) as emulator, emulator.gdb() as gdb:
        yield emulator, gdb


def ends(emulator, gdb, line, how, status):
    gdb.must(line, how)
    emulator.ended().must_end_with(status)


# --- gdb ---


def finds_all_by_itself(rivulet):
    def case():
        with session(rivulet, "dynamic") as (emulator, gdb):
            gdb.must("break main", r"debugged\.c, line")
            gdb.must("continue", r"Breakpoint 1, main \(argc=1")
            gdb.must("info sharedlibrary", r"libc\.so\.6", r"ld-linux-riscv64")
            gdb.must("print (long)&printf", r"= 0x3f|= 27\d{10}")
            gdb.must("info auxv", r"AT_PHDR.*\n", r"AT_EXECFN.*dynamic")
            gdb.must("info proc mappings", r"r-xp +\S*/dynamic", r"r-xp +\S*/libc\.so\.6")
            ends(emulator, gdb, "continue", "exited with code 05", 5)
    return case


def cannot_be_hung_up_on(rivulet):
    def case():
        with session(rivulet, "dynamic") as (emulator, gdb):
            gdb.must("break main", r"debugged\.c, line")
            gdb.must("continue", r"Breakpoint 1, main \(argc=1")
            gdb.must("print (int)close_range(3, ~0u, 0)", "= 0")
            gdb.must("stepi")
            ends(emulator, gdb, "continue", "exited with code 05", 5)
    return case


def steps_and_calls(rivulet):
    def case():
        with session(rivulet, "static") as (emulator, gdb):
            gdb.must("break inner if a == 2", "Breakpoint 1")
            gdb.must("continue", r"inner \(a=a@entry=2\)|inner \(a=2\)")
            gdb.must("backtrace", r"#0 +inner", r"#1 .* outer", r"#2 .* main")
            gdb.must("info registers a0", "0x2")
            gdb.must("finish", r"Value returned is \$1 = 4")
            gdb.must("delete")
            gdb.must("print outer(20)", "= 43")
            gdb.must("print watched", "= 21")
            gdb.must("break inner", "Breakpoint 2")
            gdb.must("continue", r"inner \(a=a@entry=3\)|inner \(a=3\)")
            gdb.must("up", "outer")
            gdb.must("stepi")
            gdb.must("next", r"debugged\.c|[0-9]+\t")
            gdb.must("delete")
            gdb.must("set var got = 77")
            gdb.must("continue", "exited with code 05")
            ended = emulator.ended().must_end_with(5)
            expect("got 77" in ended.out, f"the value that was set is not used\n{ended.out}")
    return case


def watches(rivulet):
    def case():
        with session(rivulet, "static") as (emulator, gdb):
            gdb.must("watch watched", "atchpoint 1")
            for old, new in ((0, 1), (1, 2), (2, 3)):
                gdb.must("continue", f"Old value = {old}\nNew value = {new}", r"inner")
            gdb.must("delete")
            ends(emulator, gdb, "continue", "exited with code 05", 5)
    return case


def tells_signals(rivulet):
    def case():
        with session(rivulet, "static", "signal") as (emulator, gdb):
            gdb.must("continue", "received signal SIGUSR1")
            gdb.must("break on_usr1", "Breakpoint 1")
            gdb.must("continue", r"on_usr1 \(number=10\)")
            gdb.must("backtrace", "on_usr1", "signal handler called", "main")
            ends(emulator, gdb, "continue", "exited with code 05", 5)
        with session(rivulet, "static", "signal") as (emulator, gdb):
            gdb.must("handle SIGUSR1 nopass", "SIGUSR1")
            gdb.must("continue", "received signal SIGUSR1")
            gdb.must("tbreak 55", "reakpoint 1")
            gdb.must("continue", "reakpoint 1")
            gdb.must("print got", "= 0")
            gdb.must("break on_usr1", "Breakpoint 2")
            gdb.must("signal SIGUSR1", r"on_usr1 \(number=10\)")
            ends(emulator, gdb, "continue", "exited with code 05", 5)
    return case


def tells_deaths(rivulet):
    def case():
        with session(rivulet, "static", "segv") as (emulator, gdb):
            gdb.must("continue", "received signal SIGSEGV", r"\(volatile int \*\)0x10 = 1")
            gdb.must("backtrace", "#0 .* main")
            ends(emulator, gdb, "continue", "terminated with signal SIGSEGV", -signal.SIGSEGV)
        with session(rivulet, "static") as (emulator, gdb):
            gdb.must("kill", "killed")
            emulator.ended().must_end_with(-signal.SIGKILL)
    return case


def is_interrupted(rivulet, how):
    """Twice: what goes on can be stopped again."""
    def case():
        with session(rivulet, "static", how) as (emulator, gdb):
            for _ in range(2):
                gdb.send("continue")
                time.sleep(0.5)
                gdb.interrupt()
                said = gdb.answer()
                expect("SIGINT" in said, f"Ctrl-C did not stop it\n{tail(said)}")
                gdb.must("backtrace", "main")
            ends(emulator, gdb, "signal SIGTERM", "terminated with signal SIGTERM",
                 -signal.SIGTERM)
    return case


def follows_the_parent(rivulet):
    """A child runs over the breakpoints of its parent."""
    def case():
        with session(rivulet, "static", "fork") as (emulator, gdb):
            gdb.must("break in_child", "Breakpoint 1")
            gdb.must("continue", "in_child")
            gdb.must("break inner", "Breakpoint 2")
            gdb.must("break 55", "Breakpoint 3")
            gdb.must("continue", "Breakpoint 3, main")
            gdb.must("print got", "= 7")
            ends(emulator, gdb, "continue", "exited with code 05", 5)
    return case


def follows_execve(rivulet):
    def case():
        with session(rivulet, "dynamic", "exec") as (emulator, gdb):
            gdb.must("catch exec", "Catchpoint 1")
            gdb.must("continue", "is executing new program", "Catchpoint 1")
            gdb.must("break main", "Breakpoint 2")
            gdb.must("continue", r"main \(argc=2")
            gdb.must("print argv[1]", "again")
            ends(emulator, gdb, "continue", "exited with code 05", 5)
    return case


def may_come_and_go(rivulet):
    """gdb at a program that runs, which goes on when it is left."""
    def case():
        with session(rivulet, "static", "spin", options=()) as (emulator, gdb):
            gdb.must("backtrace", "main")
            gdb.must("set var got = 1")
            gdb.must("detach", "detached")
            emulator.ended().must_end_with(5)
    return case


def dies_while_it_waits(rivulet):
    """A signal ends a program that waits for a gdb that never comes."""
    def case():
        with debugged([rivulet, "exec", "-S"], WORK / "static") as emulator:
            emulator.process.send_signal(signal.SIGTERM)
            emulator.ended().must_end_with(-signal.SIGTERM)
    return case


# --- traces ---


def traced(rivulet, trace, program, *args, status=5):
    """What a trace wrote into its file."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "trace"
        command = [rivulet, "exec", "-L", tree(), "-trace", f"{trace},file={place}",
                   WORK / program, *args]
        done = subprocess.run([str(word) for word in command], capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=SECONDS)
        expect(done.returncode == status,
               f"status {done.returncode}\n{tail(done.stderr.decode(errors='replace'))}")
        return place.read_bytes().decode(errors="replace")


def must_have(text, *patterns):
    for pattern in patterns:
        expect(re.search(pattern, text, re.MULTILINE), f"no {pattern!r} in\n{tail(text, 20)}")


def names_libraries(rivulet):
    """Names of the program and of its libraries, wherever they were mapped."""
    def case():
        must_have(traced(rivulet, "profile", "dynamic"), r"main;outer;inner \d+$", r"main;.*printf")
        must_have(traced(rivulet, "sample,every=200", "static"), r"^user;\w+ \d+$")
        must_have(traced(rivulet, "insn,symbol=inner", "dynamic"), r"<inner>  ",
                  r"<inner\+0x\w+> +ret$")
    return case


def covers_lines(rivulet):
    def case():
        source = (ROOT / "tests/exec/debugged.c").read_text().splitlines()
        line = 1 + next(i for i, text in enumerate(source) if "watched = a" in text)
        must_have(traced(rivulet, "coverage", "dynamic"), r"^SF:.*/debugged\.c", f"^DA:{line},3$",
                  "^FNDA:3,inner$")
        must_have(traced(rivulet, "coverage,format=drcov", "dynamic"), "^BB Table",
                  r"/dynamic$", r"/libc\.so\.6$")
        must_have(traced(rivulet, "mix", "static"), "By class", "loads")
    return case


def tells_calls(rivulet):
    def case():
        text = traced(rivulet, "syscall", "dynamic")
        must_have(text, r'<.*write.*> +syscall write\(1, "sum 15', r"syscall write = 13$",
                  r"syscall exit_group\(5\)$")
        expect("exit_group =" not in text, "a call that never returns has returned")
    return case


def keeps_the_users_files(rivulet):
    """Relative names of the emulator's files are the user's, whatever the program's root is."""
    def case():
        with tempfile.TemporaryDirectory() as folder:
            here, root = Path(folder), Path(folder) / "root"
            root.mkdir()
            (here / "ends").mkdir()
            shutil.copy(WORK / "static", root / "program")
            (here / "names").write_text("1000 T nothing\n1010 T more\n")
            done = subprocess.run(
                [rivulet, "exec", "--root", "root", "-strace", "-strace-file", "calls", "-d",
                 "stats", "-D", "log", "-gdb", "unix:ends/gdb", "-symbols", "names", "-trace",
                 "profile,file=profile", "-trace", "coverage,format=drcov,file=ends/coverage",
                 "/program"],
                cwd=folder, capture_output=True, check=False, timeout=SECONDS)
            expect(done.returncode == 5, f"status {done.returncode}\n{tail(done.stderr.decode())}")
            for file in ("calls", "log", "profile", "ends/coverage"):
                expect((here / file).stat().st_size > 0, f"{file} is empty")
            left = [path.name for path in (*root.iterdir(), *(here / "ends").iterdir())]
            expect(sorted(left) == ["coverage", "program"], f"there are {left}")
    return case


def is_whole_at_a_death(rivulet):
    """What was collected is written when a signal ends the program, its own or one that is sent."""
    def case():
        must_have(traced(rivulet, "profile", "static", "segv", status=-signal.SIGSEGV),
                  r"main;outer;inner \d+$")
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "trace"
            with subprocess.Popen([rivulet, "exec", "-trace", f"profile,file={place}",
                                   WORK / "static", "wait"], stdout=subprocess.PIPE) as process:
                for line in process.stdout:
                    if b"got" in line:
                        break
                process.terminate()
                process.wait(SECONDS)
            expect(process.returncode == -signal.SIGTERM, f"status {process.returncode}")
            must_have(place.read_text(), r"main;outer;inner \d+$")
    return case


def goes_on_in_the_next_program(rivulet):
    """Children are left out, and the program that execve starts has its own names."""
    def case():
        profile = traced(rivulet, "profile", "dynamic", "exec")
        counts = [int(n) for n in re.findall(r"main;outer;inner (\d+)$", profile, re.MULTILINE)]
        once = traced(rivulet, "profile", "dynamic")
        single = [int(n) for n in re.findall(r"main;outer;inner (\d+)$", once, re.MULTILINE)]
        expect(sum(counts) == 2 * sum(single), f"inner is counted {counts}, once {single}")
        forked = traced(rivulet, "syscall", "static", "fork")
        expect(forked.count("syscall exit_group(") == 1, f"a child is traced\n{tail(forked)}")
    return case


def cases(rivulet):
    return [
        ("gdb finds the program, its libraries and their symbols by itself",
         finds_all_by_itself(rivulet)),
        ("gdb breaks, steps, finishes and calls functions", steps_and_calls(rivulet)),
        ("a program that closes all it can does not hang up on gdb",
         cannot_be_hung_up_on(rivulet)),
        ("gdb watches a variable", watches(rivulet)),
        ("gdb hears of signals, passes them, keeps them and sends them", tells_signals(rivulet)),
        ("gdb hears how a program dies, and kills it", tells_deaths(rivulet)),
        ("Ctrl-C stops a call that blocks", is_interrupted(rivulet, "wait")),
        ("Ctrl-C stops a loop", is_interrupted(rivulet, "spin")),
        ("gdb follows the parent over a fork", follows_the_parent(rivulet)),
        ("gdb follows a program into execve", follows_execve(rivulet)),
        ("gdb comes to a program that runs, and leaves it running", may_come_and_go(rivulet)),
        ("a program that waits for gdb can be ended", dies_while_it_waits(rivulet)),
        ("traces name the places of a program and its libraries", names_libraries(rivulet)),
        ("coverage is of lines of source, and of modules", covers_lines(rivulet)),
        ("a trace tells of system calls and their results", tells_calls(rivulet)),
        ("files of the emulator's are the user's, not the root's", keeps_the_users_files(rivulet)),
        ("a trace is whole when a signal ends the program", is_whole_at_a_death(rivulet)),
        ("a profile goes on over execve, and leaves children out",
         goes_on_in_the_next_program(rivulet)),
    ]
