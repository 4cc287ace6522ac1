"""The monitor as a user has it: behind Ctrl-A c on a terminal, and fed through a pipe."""

import subprocess

from cases import WORK, Ended, expect
from console import Terminal
from debian import BOOT_SECONDS, PROMPT, STEP_SECONDS
from network import ASK, CARD, QUESTION, SERVE, NetGuest, ask_echo, free_port, in_background

SWITCH = b"\x01c"


class Session(Terminal):
    """A guest on a terminal, and its monitor."""

    def ask(self, keys, answer, seconds=STEP_SECONDS):
        """Types keys and waits for the answer, which their echo must not contain."""
        self.text = ""
        self.type(keys)
        self.wait_for(answer, seconds)


def look_and_stop(program, guest):
    def case():
        with Session([program, *guest.options(append="quiet")]) as session:
            session.wait_for(PROMPT, BOOT_SECONDS)
            session.ask(SWITCH, "monitor - type 'help' for more information\r\n(rivulet) ")
            session.ask(b"info registers\r", " x31/t6   ")
            session.ask(b"x/2i $pc\r", "(rivulet) ")
            session.ask(b"stop\rinfo status\r", "VM status: paused\r\n(rivulet) ")
            session.ask(b"step 3\r", "  ")
            session.ask(b"info sta\t\r", "VM status: paused (debug)\r\n(rivulet) ")
            session.ask(b"\x1b[A\r", "VM status: paused (debug)\r\n(rivulet) ")
            session.ask(b"cont\r", "(rivulet) ")
            session.ask(SWITCH + b"echo an$((40 + 2))swer\r", "an42swer")
            session.ask(SWITCH, "(rivulet) ")
            session.type(b"quit\r")
            session.must_end(0)

    return case


def power_off_and_on(program, guest):
    def case():
        with Session([program, *guest.options(append="quiet"), "-no-shutdown"]) as session:
            session.wait_for(PROMPT, BOOT_SECONDS)
            session.ask(SWITCH, "(rivulet) ")
            session.ask(SWITCH + b"poweroff -f\r", "stopped (shutdown)")
            session.ask(SWITCH + b"cont\r", "Error: the guest is off")
            session.ask(b"system_reset\r", "(rivulet) ")
            session.ask(b"info status\r", "VM status: paused (prelaunch)")
            session.ask(b"cont\r", PROMPT, BOOT_SECONDS)
            session.type(b"\x01x")
            session.must_end(0)

    return case


def forward_at_run_time(program, guest):
    def case():
        net, port = NetGuest(guest), free_port()
        command = [program, *net.options(), "-netdev", "user,id=n0", *CARD]
        with Session(command) as session:
            session.wait_for(PROMPT, BOOT_SECONDS)
            for keys, answer in (net.load, ASK):
                session.ask(keys.encode() + b"\r", answer)
            session.ask(SWITCH, "(rivulet) ")
            session.ask(f"hostfwd_add tcp:127.0.0.1:{port}-:7\r".encode(), "(rivulet) ")
            echo = in_background(ask_echo, port, QUESTION, STEP_SECONDS)
            serve = SERVE.format(bytes=len(QUESTION)).encode()
            session.ask(SWITCH + serve + b"\r", "called")
            echo()
            session.ask(SWITCH, "(rivulet) ")
            session.ask(f"hostfwd_remove tcp:127.0.0.1:{port}\r".encode(), " removed")
            session.type(b"quit\r")
            session.must_end(0)

    return case


LOOK = """step
x/10i $pc
info registers -a
step 123457
info mem
step 20000000
info tlb
walk $sp
break $pc
info mtree
delete $pc
cont
"""


def looking_changes_nothing(program, guest, harts):
    """The state after the same time, of a run that was looked at and of one that was not."""

    def run_with(name, monitor, text):
        serial = WORK / f"{name}.out"
        command = [str(word) for word in (
            program, *guest.options(harts=harts), "-icount", "1,sleep=off", "-until", "400ms",
            "-hash", "-serial", f"file:{serial}", *monitor)]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False,
                              timeout=BOOT_SECONDS)
        return Ended(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    def case():
        name = f"looked-at-{harts}"
        looked_at = run_with(name, ["-S", "-monitor", "stdio"], LOOK)
        expect("rw-" in looked_at.out and "translations" in looked_at.out, "it saw nothing")
        plain = run_with(f"{name}-not", ["-monitor", "none"], "")
        expect(looked_at.state_hash() == plain.state_hash(), "the states differ")

    return case


def monitor_cases(program, guest):
    return [
        ("the monitor behind Ctrl-A c looks, stops, steps and lets go on",
         look_and_stop(program, guest)),
        ("with -no-shutdown a guest that is off can be reset and boots again",
         power_off_and_on(program, guest)),
        ("a forward added in the monitor leads into the guest",
         forward_at_run_time(program, guest)),
        ("a run that was stepped and looked at ends in the same state",
         looking_changes_nothing(program, guest, 1)),
        ("so does one of four harts", looking_changes_nothing(program, guest, 4)),
    ]
