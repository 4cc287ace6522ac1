"""The console as a user has it: a terminal in raw mode that is itself again after any end."""

import os
import pty
import select
import signal
import subprocess
import termios
import time

from cases import Failure, expect, tail
from debian import BOOT_SECONDS, PROMPT, STEP_SECONDS


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command):
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        self.process = subprocess.Popen([str(word) for word in command], stdin=self.theirs,
                                        stdout=self.theirs, stderr=self.theirs)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def wait_for(self, answer, seconds):
        end = time.monotonic() + seconds
        while answer not in self.text:
            if not select.select([self.ours], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure(f"no {answer!r} within {seconds} s\n{tail(self.text)}")
            self.text += os.read(self.ours, 65536).decode(errors="replace")

    def type(self, keys):
        os.write(self.ours, keys)

    def must_end(self, status):
        try:
            self.process.wait(STEP_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure("the program does not end") from None
        seen = self.process.returncode
        expect(seen == status, f"status {seen}, not {status}\n{tail(self.text)}")
        expect(termios.tcgetattr(self.theirs) == self.before, "the terminal stays changed")


def console_cases(program, guest):
    command = [program, *guest.options(append="quiet")]

    def poweroff():
        with Terminal(command) as terminal:
            terminal.wait_for(PROMPT, BOOT_SECONDS)
            terminal.type(b"\x03echo an$((40 + 2))swer\r")
            terminal.wait_for("an42swer", STEP_SECONDS)
            terminal.type(b"poweroff -f\r")
            terminal.must_end(0)

    def leave():
        with Terminal(command) as terminal:
            terminal.wait_for(PROMPT, BOOT_SECONDS)
            terminal.type(b"\x01x")
            terminal.must_end(0)

    def terminated():
        with Terminal(command) as terminal:
            terminal.wait_for(PROMPT, BOOT_SECONDS)
            terminal.process.send_signal(signal.SIGTERM)
            try:
                terminal.process.wait(STEP_SECONDS)
            except subprocess.TimeoutExpired:
                raise Failure("SIGTERM does not end it") from None
            same = termios.tcgetattr(terminal.theirs) == terminal.before
            expect(same, "the terminal stays changed")

    return [("a user types, and powers off", poweroff),
            ("Ctrl-A x leaves and restores the terminal", leave),
            ("SIGTERM leaves and restores the terminal", terminated)]
