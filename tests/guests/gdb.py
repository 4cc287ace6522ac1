"""The gdb stub, by the real gdb: on a small program, and on Debian's kernel."""

import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from cases import ROOT, WORK, Ended, Failure, expect, tail
from debian import BOOT_SECONDS, PROMPT, STEP_SECONDS
from writing import made_once
from monitor import Session

FLAGS = ("-march=rv64gc -mabi=lp64d -mcmodel=medany -O0 -g -ffreestanding -fno-pic -no-pie "
         "-fno-stack-protector -fno-toplevel-reorder -nostdlib -static -Wall -Wextra -Werror "
         "-mno-relax -Wl,--no-relax -Wl,-N -Wl,-Ttext=0x80000000 -Wl,--build-id=none -Wl,--no-warn-rwx-segments")


@made_once
def build_debuggee():
    program = WORK / "debuggee"
    compiler = os.environ.get("CROSS_PREFIX", "riscv64-linux-gnu-") + "gcc"
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, *shlex.split(FLAGS), ROOT / "tests/guests/debuggee.c", "-o", program],
                   check=True)
    return program


class Gdb:
    """gdb, to which commands are given one by one."""

    MARK = "=end of the answer="

    def __init__(self, *files):
        self.process = subprocess.Popen(
            ["gdb-multiarch", "-nx", "-q", *map(str, files)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
        self.text = ""
        for line in ("set confirm off", "set pagination off", "set width 0",
                     "set architecture riscv:rv64"):
            self.ask(line)

    def send(self, line):
        self.process.stdin.write(f"{line}\necho {self.MARK}\\n\n".encode())

    def answer(self, seconds=STEP_SECONDS):
        """What gdb says to the last command."""
        os.set_blocking(self.process.stdout.fileno(), False)
        end, said = time.monotonic() + seconds, ""
        while self.MARK not in said:
            part = self.process.stdout.read(65536)
            if part is None:
                time.sleep(0.005)
            said += (part or b"").decode(errors="replace")
            expect(part != b"" and time.monotonic() < end,
                   f"gdb does not answer\n{tail(self.text + said)}")
        self.text += said
        return said.replace(self.MARK, "").replace("(gdb) ", "")

    def ask(self, line, seconds=STEP_SECONDS):
        self.send(line)
        return self.answer(seconds)

    def must(self, line, *patterns, seconds=STEP_SECONDS):
        """The answer, in which all patterns must be found."""
        said = self.ask(line, seconds)
        for pattern in patterns:
            expect(re.search(pattern, said), f"({line}) has no {pattern!r}:\n{tail(said, 30)}")
        return said

    def interrupt(self):
        """The user's Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Debugged:
    """An emulator at whose socket gdb may come."""

    def __init__(self, command, place, *program):
        self.place = place
        self.process = subprocess.Popen(
            [str(word) for word in (*command, "-gdb", f"unix:{place}", *program)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + STEP_SECONDS
        while not place.exists() and self.process.poll() is None:
            expect(time.monotonic() < end, f"nobody listens at {place}")
            time.sleep(0.02)

    @contextmanager
    def gdb(self, *files):
        gdb = Gdb(*files)
        try:
            gdb.must(f"target remote {self.place}", r"0x[0-9a-f]+|debuggee\.c")
            yield gdb
        finally:
            gdb.end()

    def ended(self, seconds=STEP_SECONDS):
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failure("the emulator does not end") from None
        return Ended(list(map(str, self.process.args)), self.process.returncode,
                     out.decode(errors="replace"), err.decode(errors="replace"))


@contextmanager
def debugged(command, *program):
    """The emulator's options, and what comes behind them all."""
    with tempfile.TemporaryDirectory() as folder:
        machine = Debugged(command, Path(folder) / "gdb", *program)
        try:
            yield machine
        finally:
            machine.process.kill()
            machine.process.wait()
            machine.process.stdout.close()
            machine.process.stderr.close()


def bare(program, debuggee, *more):
    return [program, "-machine", "virt", "-nographic", "-serial", "null", "-monitor", "none",
            "-bios", "none", "-kernel", debuggee, *more]


# --- the small program ------------------------------------------------------------------------


def reset_prologue(program, debuggee):
    """Every instruction from the reset vector on."""
    def case():
        with debugged(bare(program, debuggee, "-S")) as machine, machine.gdb(debuggee) as gdb:
            gdb.must("info registers pc", "0x1000")
            for pc in (0x1004, 0x1008, 0x100c, 0x1010, 0x1014):
                gdb.must("stepi", f"0x0*{pc:x}")
            gdb.must("p/x $a2", "0x1028")
            gdb.must("p/x $t0", "0x80000000")
            gdb.must("stepi", r"in _start \(\)")
            while "_start" in gdb.must("info symbol $pc", "_start|work"):
                gdb.must("stepi")
            gdb.must("info symbol $pc", r"work in section")
            gdb.must("p $sp == (long)&stacks + 4096", " = 1")
            gdb.must("p $mtvec == (long)on_trap", " = 1")
            gdb.must("kill", "killed")
            machine.ended().must_end_with(0)

    return case


def source_level(program, debuggee):
    def case():
        with debugged(bare(program, debuggee, "-S")) as machine, machine.gdb(debuggee) as gdb:
            gdb.must("break count", "Breakpoint 1")
            gdb.must("continue", r"Breakpoint 1, count \(hart=0, round=0\)")
            gdb.must("bt", r"#0 +count", r"#1 +0x\w+ in work \(hart=0\)")
            gdb.must("finish", r"Value returned is \$1 = 0")
            gdb.must("continue", r"count \(hart=0, round=1\)")
            gdb.must("delete")
            gdb.must("set var counters[0] = 500")
            gdb.must("next")
            gdb.must("p counters[0]", "= 501")
            gdb.must("info registers mcause mstatus", "mcause", "mstatus")
            gdb.must("p $priv", "= 3")
            gdb.must("set $mscratch = 0x1234")
            gdb.must("p/x $mscratch", "0x1234")
            gdb.must("p $ft0", "float = ")
            gdb.must("find /w 0x1000, +64, 0x4942534f", "0x1028")
            gdb.must("monitor info status", "paused")
            gdb.must("monitor no_such", "unknown command")
            gdb.must("tbreak on_trap")
            gdb.must("continue", "on_trap")
            gdb.must("p $mcause >> 63 || $mcause == 11", "= 1")
            gdb.must("continue", "exited normally")
            machine.ended().must_end_with(0)

    return case


def watchpoints(program, debuggee):
    def case():
        with debugged(bare(program, debuggee, "-S")) as machine, machine.gdb(debuggee) as gdb:
            gdb.must("watch counters[0]", "Hardware watchpoint 1")
            gdb.must("continue", r"Old value = 0\s+New value = 1\s")
            gdb.must("continue", r"Old value = 1\s+New value = 2\s")
            gdb.must("delete")
            gdb.must("rwatch total", "Hardware read watchpoint 2")
            gdb.must("continue", r"Hardware read watchpoint 2: total\s+Value = \d+\s")
            gdb.must("delete")
            gdb.must("awatch total", "Hardware access .* watchpoint 3")
            gdb.must("continue", r"Hardware access .* watchpoint 3: total")
            gdb.must("delete")
            gdb.must("watch big", "Hardware watchpoint 4")  # 100 bytes
            gdb.must("continue", r"Hardware watchpoint 4: big", r"repeats 4\d times")
            gdb.must("delete")
            gdb.must("watch never_touched")
            gdb.must("continue", "exited normally")

    return case


def traps_and_interrupts(program, debuggee):
    """Stepping into and over an ecall; and interrupts stay out of steps, as on QEMU."""
    def case():
        with debugged(bare(program, debuggee, "-S")) as machine, machine.gdb(debuggee) as gdb:
            gdb.must("break call_environment")
            gdb.must("break count")
            gdb.must("continue", "count")
            gdb.ask("finish")
            while not re.search(r"\tecall\b", gdb.must("x/i $pc")):
                gdb.must("stepi")
            before = gdb.must("p ecalls", r"= \d+")
            gdb.must("stepi", "on_trap")
            gdb.must("p $mcause", "= 11")
            gdb.must("p ecalls", re.escape(before.split("=")[1].strip()))
            gdb.must("delete")
            gdb.must("tbreak count")
            gdb.must("continue", "count")
            gdb.must("p ecalls > 0", "= 1")
            gdb.must("maintenance packet qqemu.sstep", "0x7")
            ticks = gdb.must("p ticks")
            gdb.must("stepi 300")
            expect(gdb.must("p ticks").split("=")[1] == ticks.split("=")[1],
                   "an interrupt came while stepping")
            gdb.must("maintenance packet Qqemu.sstep=1", "OK")
            gdb.must("stepi 2000", seconds=BOOT_SECONDS)
            expect(gdb.must("p ticks").split("=")[1] != ticks.split("=")[1],
                   "no interrupt came though it may")

    return case


def four_harts(program, debuggee):
    def case():
        with debugged(bare(program, debuggee, "-S", "-smp", 4, "-icount", 1)) as machine, \
                machine.gdb(debuggee) as gdb:
            gdb.must("info threads", *(f'"hart {n}"' for n in range(4)))
            gdb.must("break count thread 3")
            gdb.must("continue", r"count \(hart=2, round=0\)")
            gdb.must("thread apply all p $mhartid", *(f"= {n}" for n in range(4)))
            gdb.must("delete")
            gdb.must("thread 2")
            pc = gdb.must("p/x $pc")
            gdb.must("stepi")
            expect(gdb.must("p/x $pc").split("=")[1] != pc.split("=")[1], "no step")
            gdb.must("p $mhartid", "= 1")
            gdb.must("break count if hart == 3 && round == 700")
            gdb.must("continue", r"count \(hart=3, round=700\)", seconds=BOOT_SECONDS)
            gdb.must("p counters[3]", "= 700")
            gdb.must("delete")
            gdb.must("continue", "exited normally")

    return case


def conditions(program, debuggee):
    """Evaluated by the stub: no stop for each of the 1,234 times."""
    def case():
        with debugged(bare(program, debuggee, "-S")) as machine, machine.gdb(debuggee) as gdb:
            gdb.must("set breakpoint condition-evaluation target")
            gdb.must("break count if round == 1234 && counters[0] == 1234")
            gdb.must("set debug remote 1")
            said = gdb.must("continue", r"round=1234\)")
            packets = len(re.findall("Sending packet", said))
            expect(0 < packets < 100, f"{packets} packets")

    return case


def detach_and_come_back(program, debuggee):
    def case():
        with debugged(bare(program, debuggee, "-S", "-smp", 2, "-no-shutdown")) as machine:
            with machine.gdb(debuggee) as gdb:
                gdb.must("tbreak count")
                gdb.must("continue", "count")
                gdb.must("break on_trap")
                gdb.must("detach", "detached")
            end, said = time.monotonic() + STEP_SECONDS, ""
            while "= 2000" not in said:  # it runs to its end, over the breakpoint
                expect(time.monotonic() < end, f"it does not go on: {said}")
                with machine.gdb(debuggee) as gdb:
                    said = gdb.must("p counters[0]", r"= \d+")
                    gdb.must("detach", "detached")
            with machine.gdb(debuggee) as gdb:
                gdb.must("monitor info status", "shutdown")
                gdb.must("monitor system_reset")
                gdb.must("disconnect")
            with machine.gdb(debuggee) as gdb:
                gdb.must("info registers pc", "0x1000")
                gdb.must("hbreak count")
                gdb.must("continue", r"count \(hart=\d, round=0\)")
                gdb.must("kill", "killed")
            machine.ended().must_end_with(0)

    return case


def loads_calls_and_loops(program, debuggee):
    """The program is loaded by gdb, in binary packets; `next` goes over loops and calls."""
    def case():
        dump = WORK / "gdb.dump"
        with debugged(bare(program, debuggee, "-S")) as machine, machine.gdb(debuggee) as gdb:
            gdb.must("set {char[64]}0x80000000 = \"\"")
            gdb.must("load", r"Loading section \.text, size 0x\w+")
            gdb.must("compare-sections .text", "matched")
            gdb.must("info mem", "0x0+ .* rw")
            gdb.must("break 61")
            gdb.must("continue", r"61\s+uint64_t sum = count")
            gdb.must("delete")
            gdb.must("next", r"62\s+total \+= sum")
            gdb.must("next 4", r"61\s+uint64_t sum = count", seconds=BOOT_SECONDS)
            gdb.must("p round", "= 1")
            gdb.must("p count(1, 20)", "= 41")  # on the hart, and back
            gdb.must("p counters[1]", "= 1")
            gdb.must("step", r"count \(hart=0, round=1\)")
            gdb.must("up", "in work")
            gdb.must("advance 66", r"66\s+if \(hart == 0\)", seconds=BOOT_SECONDS)
            gdb.must("p counters[0]", "= 2000")
            gdb.must(f"dump binary value {dump} counters")
            gdb.must("set var counters[0] = 0")
            gdb.must(f"restore {dump} binary &counters", "Restoring")
            gdb.must("p counters[0]", "= 2000")
            gdb.must("continue", "exited normally")

    return case


class Monitor:
    """An emulator whose monitor is at its standard input and output; `with` ends it."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(word) for word in (*command, "-monitor", "stdio")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.watchdog = threading.Timer(STEP_SECONDS, self.process.kill)

    def __enter__(self):
        self.watchdog.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.watchdog.cancel()

    def must(self, line, answer):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        while answer not in (said := self.process.stdout.readline().decode()):
            expect(said, f"the monitor does not say {answer!r} to {line!r}")


def comes_later(program, debuggee):
    """The monitor lets gdb come to a machine that was started without, moves its end while gdb is
    there, and takes it away."""
    def case():
        with tempfile.TemporaryDirectory() as folder, Monitor(
                (program, "-machine", "virt", "-display", "none", "-serial", "null", "-bios",
                 "none", "-kernel", debuggee, "-S")) as monitor:
            first, second = Path(folder) / "first", Path(folder) / "second"
            monitor.must("gdbserver none", "Disabled gdbserver")
            monitor.must("gdbserver nosuch:x", "Error: ")
            monitor.must(f"gdbserver unix:{first},server=on", "Waiting for gdb")
            gdb = Gdb(debuggee)
            try:
                gdb.must(f"target remote {first}", "0x0*1000")
                gdb.must("monitor gdbserver none", "gdb cannot take its own end away")
                monitor.must(f"gdbserver unix:{second}", "Waiting for gdb")
                expect(not first.exists(), "the first end is there still")
                gdb.must("maintenance packet qC", "closed|Target disconnected")
                for end in (second, first):
                    monitor.must("gdbserver none", "Disabled gdbserver")
                    expect(not end.exists(), "an end that was taken away is there")
                    monitor.must(f"gdbserver unix:{first}", "Waiting for gdb")
                monitor.must("info chardev", "unix:" + str(first))
                gdb.must(f"target remote {first}", "0x0*1000")
                gdb.must("tbreak count")
                gdb.must("continue", "count")
                gdb.must("continue", "exited normally")
            finally:
                gdb.end()
            expect(monitor.process.wait() == 0, f"status {monitor.process.returncode}")

    return case


# --- the guest notices nothing ------------------------------------------------------------------


def nothing_is_noticed(program, debuggee, harts):
    def case():
        command = bare(program, debuggee, "-smp", harts, "-icount", "1,sleep=off", "-hash")
        with debugged(command) as machine:
            plain = machine.ended(BOOT_SECONDS).state_hash()
        with debugged([*command, "-S"]) as machine, machine.gdb(debuggee) as gdb:
            gdb.must("break on_trap if ticks == 20")
            gdb.must("watch counters[0] if counters[0] == 50")
            gdb.must("continue", "New value = 50|on_trap")
            gdb.must("continue", "New value = 50|on_trap")
            gdb.must("stepi 200", seconds=BOOT_SECONDS)
            for _ in range(5):
                gdb.must("next")
            gdb.must("info registers all", "mstatus")
            gdb.must("x/100xg &stacks")
            gdb.must("delete")
            gdb.must("continue", "exited normally")
            expect(machine.ended().state_hash() == plain, "the states differ")

    return case


# --- Debian's kernel ----------------------------------------------------------------------------


def attach_to_a_boot(program, guest):
    """gdb comes while the kernel boots, interrupts it, looks, and lets it go on to its prompt."""
    def case():
        command = [program, *guest.options(append="quiet"), "-smp", 2, "-monitor", "none"]
        command[command.index("-nographic")] = "-display"
        command.insert(command.index("-display") + 1, "none")
        serial = WORK / "attached.out"
        with debugged([*command, "-serial", f"file:{serial}"]) as machine:
            with machine.gdb() as gdb:
                gdb.must("info threads", '"hart 0"', '"hart 1"')
                end = time.monotonic() + STEP_SECONDS
                while "= 0x0" in gdb.must("p/x $satp"):
                    expect(time.monotonic() < end, "the kernel does not come to its paging")
                    gdb.send("continue")
                    time.sleep(0.5)
                    gdb.interrupt()
                    expect("SIGINT" in gdb.answer(), "no stop by Ctrl-C")
                gdb.must("x/4i $stvec", "csr")
                gdb.must("maintenance packet Qqemu.PhyMemMode:1", "OK")
                gdb.must("x/2xw 0x80200000", "0x80200000:")
                gdb.must("maintenance packet Qqemu.PhyMemMode:0", "OK")
                gdb.must("hbreak *$stvec")
                gdb.must("continue", "Breakpoint 1")
                for _ in range(10):
                    gdb.must("stepi", "0xffff")
                gdb.must("delete")
                gdb.must("detach", "detached")
            end = time.monotonic() + BOOT_SECONDS
            while "~ #" not in serial.read_text(errors="replace"):
                expect(time.monotonic() < end, f"no prompt\n{tail(serial.read_text())}")
                time.sleep(0.1)

    return case


FUNCTIONS = ("_start", "start_kernel", "rest_init", "kernel_init", "vfs_open", "do_sys_openat2",
             "do_filp_open", "schedule")


def kernel_symbols(program, guest):
    """Addresses of functions of the kernel, as it tells them itself."""
    names = "|".join(FUNCTIONS)
    with Session([program, *guest.options(append="quiet")]) as session:
        session.wait_for(PROMPT, BOOT_SECONDS)
        session.ask(f"grep -E ' [tT] ({names})$' /proc/kallsyms; echo e''nd\r".encode(), "\nend",
                    BOOT_SECONDS)
        found = re.findall(r"([0-9a-f]{16}) ([tT]) (\w+)", session.text)
        session.type(b"\x01x")
        session.must_end(0)
    expect({name for _, _, name in found} == set(FUNCTIONS), f"the kernel tells {found}")
    return {name: int(address, 16) for address, _, name in found}


def write_symbols(path, symbols):
    """What a user's vmlinux is to gdb, without its code."""
    base = min(symbols.values())
    lines = ['.section .kernel, "ax", @nobits', "base: .space 0x2000000"]
    for name, address in symbols.items():
        lines += [f".globl {name}", f".type {name}, @function", f".set {name}, base + {address - base}"]
    path.with_suffix(".s").write_text("\n".join(lines) + "\n", encoding="ascii")
    prefix = os.environ.get("CROSS_PREFIX", "riscv64-linux-gnu-")
    subprocess.run([f"{prefix}as", path.with_suffix(".s"), "-o", path.with_suffix(".o")], check=True)
    subprocess.run([f"{prefix}ld", "--no-relax", f"--section-start=.kernel={base:#x}",
                    path.with_suffix(".o"), "-o", path], check=True)


def kernel_by_names(program, guest):
    """The first instruction of start_kernel, then a call deep in the kernel."""
    def case():
        elf, names, trace = (WORK / f"kernel.{end}" for end in ("elf", "kallsyms", "trace"))
        symbols = kernel_symbols(program, guest)
        write_symbols(elf, symbols)
        names.write_text("".join(f"{address:016x} T {name}\n" for name, address in symbols.items()),
                         encoding="ascii")
        command = [program, *guest.options(append="quiet"), "-S", "-serial", "null", "-monitor",
                   "none"]
        with debugged(command) as machine, machine.gdb(elf) as gdb:
            gdb.must("break start_kernel")
            gdb.must("continue", r"Breakpoint 1, 0xf\w+ in start_kernel \(\)")
            gdb.must("break vfs_open")
            gdb.must("continue", r"Breakpoint 2, 0xf\w+ in vfs_open \(\)", seconds=BOOT_SECONDS)
            gdb.must("delete")
            for _ in range(20):
                gdb.must("stepi")
            gdb.must("tbreak schedule")
            gdb.must("continue", r"in schedule \(\)", seconds=BOOT_SECONDS)
            gdb.must("monitor symbols " + str(names))
            gdb.must(f"monitor trace insn,symbol=schedule,file={trace}")
            gdb.must("stepi 3")
            gdb.must("monitor trace off all")
            gdb.must("kill", "killed")
        expect("<schedule+0x" in trace.read_text(encoding="ascii"), f"no name in {trace}")

    return case


def gdb_cases(program, guest):
    debuggee = build_debuggee()
    return [
        ("gdb steps through each instruction from the reset on", reset_prologue(program, debuggee)),
        ("gdb debugs a program by its source", source_level(program, debuggee)),
        ("gdb watches variables of any length", watchpoints(program, debuggee)),
        ("gdb steps into traps, and interrupts wait", traps_and_interrupts(program, debuggee)),
        ("gdb sees four harts as threads", four_harts(program, debuggee)),
        ("gdb's conditions are evaluated by the stub", conditions(program, debuggee)),
        ("gdb loads a program, calls functions, steps over loops",
         loads_calls_and_loops(program, debuggee)),
        ("gdb comes when the monitor lets it", comes_later(program, debuggee)),
        ("gdb detaches and comes back", detach_and_come_back(program, debuggee)),
        ("a run that gdb looked into ends in the same state",
         nothing_is_noticed(program, debuggee, 1)),
        ("so does one of four harts that gdb looked into", nothing_is_noticed(program, debuggee, 4)),
        ("gdb knows a kernel's functions by a file of symbols", kernel_by_names(program, guest)),
        ("gdb attaches to a kernel that boots, and lets it go on", attach_to_a_boot(program, guest)),
    ]
