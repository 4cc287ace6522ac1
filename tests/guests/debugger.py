"""`rivulet debug` on a terminal, tmux's: what is on the screen after which keys."""

import re
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from cases import WORK, Ended, expect, run, tail
from console import Terminal
from debian import BOOT_SECONDS, STEP_SECONDS
from gdb import build_debuggee


class Screen:
    """A command in a terminal of this size; `with` ends the terminal."""

    def __init__(self, command, columns=120, rows=40):
        self.folder = tempfile.TemporaryDirectory()
        self.tmux = ["tmux", "-u", "-f", "/dev/null", "-S", f"{self.folder.name}/socket"]
        words = shlex.join(str(word) for word in command)
        self.ask("new-session", "-d", "-x", columns, "-y", rows,
                 f"unset NO_COLOR; {words}; echo status=$?; cat")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True)
        self.folder.cleanup()

    def ask(self, *words):
        done = subprocess.run([*self.tmux, *map(str, words)], capture_output=True, text=True,
                              check=False)
        expect(done.returncode == 0, f"tmux: {done.stderr}")
        return done.stdout

    def text(self):
        return self.ask("capture-pane", "-p").rstrip()

    def keys(self, *keys):
        self.ask("send-keys", *keys)

    def type(self, text):
        """Letters as they are, then Enter."""
        self.ask("send-keys", "-l", text)
        self.keys("Enter")

    def resize(self, columns, rows):
        self.ask("resize-window", "-x", columns, "-y", rows)

    def wait_for(self, pattern, seconds=STEP_SECONDS):
        """Until a regular expression is found on the screen: the match."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, text := self.text(), re.MULTILINE)):
            expect(time.monotonic() < end, f"no {pattern!r} on the screen\n{tail(text, 40)}")
            time.sleep(0.05)
        return found

    def must_not_show(self, pattern):
        text = self.text()
        expect(not re.search(pattern, text, re.MULTILINE), f"{pattern!r} is seen\n{tail(text, 40)}")


def debug(program, debuggee):
    return [program, "debug", "-bios", "none", "-kernel", debuggee, "-smp", "2"]


def steps_and_breakpoints(command):
    def case():
        with Screen(command) as screen:
            screen.wait_for(r"M-mode  stopped: not started  step 0 ")
            screen.wait_for(r"^ > 0000000000001000 .* auipc   t0, 0x0 ")
            screen.keys("s")
            screen.wait_for(r"stopped: step  step 1 ")
            screen.wait_for(r"pc  \*0000000000001004 .*")
            screen.wait_for(r"t0  \*0000000000001000 ")
            screen.keys("s")
            screen.wait_for(r"t0   0000000000001000 ")  # no longer new
            screen.keys("g")
            screen.type("count")
            screen.wait_for(r"^   count:")
            screen.keys("b", "c")
            screen.wait_for(r"M-mode  stopped: breakpoint")
            pc = screen.wait_for(r"^\*> (\w{16})  ")[1]
            screen.wait_for(rf"pc  \*{pc} ")
            screen.keys("f")
            screen.wait_for(r"stopped: step")
            ra = screen.wait_for(r"ra   (\w{16}) ")[1]
            screen.wait_for(rf"pc  \*{ra} ")
            screen.keys("Down", "Down", "Down", "u")
            screen.wait_for(r"stopped: breakpoint")
            screen.keys("q")
            screen.wait_for(r"leave\? y/n")
            screen.keys("y")
            screen.wait_for(r"^status=0")

    return case


def next_goes_over_calls(command):
    """From a call to behind it; the function's breakpoint shows that `next` does run it."""

    def case():
        with Screen(command) as screen:
            screen.wait_for(r"not started")
            screen.keys("g")
            screen.type("count")
            screen.wait_for(r"^   count:")
            screen.keys("b", "c")
            screen.wait_for(r"stopped: breakpoint")
            ra = int(screen.wait_for(r"ra  \*(\w{16}) ")[1], 16)
            screen.keys("b")  # away again
            screen.wait_for(r"^ > ")
            screen.keys("g")
            screen.type("$ra - 4")
            screen.wait_for(rf"^   {ra - 4:016x}  ")
            screen.keys("u")  # the next round's call
            screen.wait_for(rf"pc  \*{ra - 4:016x} ")
            screen.keys("n")
            screen.wait_for(rf"pc  \*{ra:016x} ")
            screen.wait_for(r"stopped: breakpoint")

    return case


def memory_commands_and_help(command):
    def case():
        with Screen(command) as screen:
            screen.wait_for(r"not started")
            screen.keys("m", "C-u")
            screen.type("0x1000")
            screen.wait_for(r"0000000000001000  97 02 00 00 13 86 82 02  \.{8}")
            screen.keys("m", "C-u")
            screen.type("nowhere")
            screen.wait_for(r"there is no symbol nowhere")
            screen.keys("w")
            screen.type("ecalls")
            screen.keys("c")
            screen.wait_for(r"stopped: watchpoint")
            screen.keys(":")
            screen.keys(*"info st", "Tab")
            screen.wait_for(r"^: info status")
            screen.keys("Enter")
            screen.wait_for(r"^VM status: paused \(debug\)")
            screen.keys(":", "Up", "Enter")
            screen.wait_for(r"(?s)VM status.*VM status")
            screen.keys("h")
            screen.wait_for(r"^hart 1  ")
            screen.keys("?")
            screen.wait_for(r"^ +f  go on until the function returns")
            screen.keys("x", "7")
            screen.wait_for(r">1 M \w{16}")

    return case


def sizes(command):
    def case():
        with Screen(command, 80, 24) as screen:
            screen.wait_for(r"2 Registers .* 9 Monitor")
            screen.keys("7")
            screen.wait_for(r">0 M 0000000000001000 runs")
            screen.resize(70, 20)
            screen.wait_for(r"^70x20 is too small: the debugger needs 80x24")
            screen.must_not_show("Registers")
            screen.keys("Tab", "Down", "h", "h")
            screen.resize(200, 60)
            screen.wait_for(r"1 Code .*2 Registers")
            screen.wait_for(r">0 M 0000000000001000 runs")
            screen.must_not_show("too small")
            screen.keys("s")
            screen.wait_for(r"stopped: step  step 1 ")

    return case


def colours(command):
    """The register that changed is seen by its star, and in colour unless the user wants none."""

    def case():
        for words, wanted in ((["env"], True), (["env", "NO_COLOR=1"], False)):
            with Screen([*words, *command]) as screen:
                screen.wait_for(r"not started")
                screen.keys("s")
                screen.wait_for(r"pc  \*0000000000001004 ")
                escapes = screen.ask("capture-pane", "-p", "-e")
                expect(bool(re.search("\x1b\\[[0-9;]*3[1-7]m", escapes)) == wanted,
                       f"NO_COLOR and colours: {escapes!r}")

    return case


def a_kernel(program, guest):
    """Debian's: its console, and where its stack lies."""

    def case():
        options = guest.options(append="quiet")
        options.remove("-nographic")
        with Screen([program, "debug", *options]) as screen:
            screen.wait_for(r"S-mode  stopped: not started")
            screen.keys("c", "i")
            screen.wait_for(r"Ctrl-\] takes the keyboard back")
            screen.wait_for(r"~ # ", BOOT_SECONDS)
            screen.type("echo an$((40 + 2))swer")
            screen.wait_for(r"^an42swer")
            screen.keys("C-]", "c")
            screen.wait_for(r"hart 0  .-mode  stopped ")
            screen.keys("p", "C-u")
            screen.type("$stvec")
            screen.wait_for(r"level 0|level 1")
            screen.wait_for(r"store    page fault: the access is not permitted")
            screen.wait_for(r"fetch    \w{12}")
            screen.keys("c", "i")
            screen.type("poweroff -f")
            screen.wait_for(r"the guest is off")
            screen.keys("C-]", "q", "y")
            screen.wait_for(r"^status=0")

    return case


def looking_leaves_no_trace(program, guest):
    """Steps, breakpoints and panes, and the same state at the end as without."""

    def case():
        options = guest.options(append="quiet")
        options.remove("-nographic")
        options += ["-until", "300ms", "-hash"]
        plain = run([program, *options, "-icount", "1,sleep=off", "-serial", "null"])
        errors = WORK / "debugger.err"
        command = shlex.join(str(word) for word in [program, "debug", *options])
        with Screen(["sh", "-c", f"exec {command} 2>{errors}"]) as screen:
            screen.wait_for(r"not started")
            for _ in range(3):
                screen.keys("s", "n")
            screen.keys("Down", "Down", "Down", "u", "3", "4", "6", "7")
            screen.keys("b", "b", "f")
            time.sleep(0.3)
            screen.keys("C-c")
            screen.wait_for(r"stopped")
            screen.keys("c")
            screen.wait_for(r"^status=0", BOOT_SECONDS)
        looked_at = Ended([], 0, "", Path(errors).read_text(encoding="utf-8"))
        expect(looked_at.state_hash() == plain.state_hash(), "the states differ")

    return case


def the_terminal_is_itself_again(command):
    def case():
        with Terminal(command) as terminal:
            terminal.wait_for("not started", STEP_SECONDS)
            terminal.process.send_signal(signal.SIGTERM)
            terminal.must_end(128 + signal.SIGTERM)

    return case


def debugger_cases(program, guest):
    command = debug(program, build_debuggee())
    return [
        ("the debugger steps, finishes, runs to the cursor and to a symbol's breakpoint",
         steps_and_breakpoints(command)),
        ("the debugger's next goes over a call", next_goes_over_calls(command)),
        ("the debugger shows memory, watches it, and runs commands",
         memory_commands_and_help(command)),
        ("the debugger follows the size of its terminal", sizes(command)),
        ("the debugger has colours, and none with NO_COLOR", colours(command)),
        ("the debugger boots Debian, types to it and walks its page tables",
         a_kernel(program, guest)),
        ("a run in the debugger ends in the same state", looking_leaves_no_trace(program, guest)),
        ("a debugger that is killed leaves the terminal as it was",
         the_terminal_is_itself_again(command)),
    ]
