"""The guest that is in the program: its data, its pictures, and how it ends without a screen."""

import os
import re
import signal
import subprocess

from cases import ROOT, WORK, expect, run
from console import Terminal

SECONDS = 180
LEAVES = "\033[?1049l"
# What so many harts have drawn after this virtual time. Who changes the guest looks at its pictures
# (-picture FILE) and writes their hashes here.
GOLDEN = {("1500ms", 4): "0x339b94300fc11e2e", ("1500ms", 1): "0xdc2d608d2bee063c",
          ("2500ms", 4): "0x98183badeeabd091"}


def without_display():
    return {key: value for key, value in os.environ.items()
            if key not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}


def is_as_built():
    """The data in the repository is what its source builds to; another compiler makes other code."""
    built, kept = WORK / "demo_image.c", ROOT / "firmware/demo_image.c"
    run([ROOT / "tools/make-demo-guest", "--output", built]).must_end_with(0)
    compilers = [path.read_text(encoding="ascii").partition("\n")[0] for path in (built, kept)]
    if compilers[0] != compilers[1]:
        print(f"skipped: the demo guest is of another compiler\n    {compilers[1]}", flush=True)
        return
    expect(built.read_bytes() == kept.read_bytes(), "tools/make-demo-guest changes the data")


def draws(program, until, harts, *more):
    """The hash of a picture."""
    ended = run([program, "-display", "none", "-device", "ramfb", "-smp", harts, "-icount",
                 "shift=0,sleep=off", "-until", until, "-hash", *more], SECONDS)
    found = re.search(r"picture hash: (\w+) size 1024x768", ended.must_end_with(0).err)
    expect(found, f"no hash of a picture\n{ended}")
    return found[1]


def golden(programs):
    def case():
        for (until, harts), wanted in GOLDEN.items():
            for name, program in programs.items():
                seen = draws(program, until, harts)
                expect(seen == wanted, f"{name}, {until}, {harts} harts: {seen}, not {wanted}")

    return case


def survives_loading(program):
    def case():
        seen = draws(program, "1500ms", 4, "-save-load", "1s")
        expect(seen == GOLDEN["1500ms", 4], f"{seen} behind a save and a load")

    return case


def ends_without_terminal(program):
    """Nobody sees a picture there, and nobody could end it."""

    def case():
        ended = subprocess.run([program], env=without_display(), stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, timeout=SECONDS, check=False)
        expect(ended.returncode == 0, f"status {ended.returncode}\n{ended.stderr}")
        expect("4 harts" in ended.stdout and "rivulet --help" in ended.stdout, ended.stdout)
        expect("\033" not in ended.stdout, "control sequences where there is no terminal")

    return case


def in_terminal(program, kind):
    return ["env", "-u", "DISPLAY", "-u", "WAYLAND_DISPLAY", "-u", "SDL_VIDEODRIVER", f"TERM={kind}",
            program]


def ends_without_colours(program):
    """A terminal that shows letters alone gets no control sequences."""

    def case():
        for kind in ("dumb", "vt100", ""):
            with Terminal(in_terminal(program, kind)) as terminal:
                terminal.wait_for("rivulet --help", SECONDS)
                terminal.must_end(0)
                expect("\033" not in terminal.text, f"TERM={kind}: control sequences")

    return case


def draws_in_terminal(program):
    """Half blocks in the size of the terminal, the answer to whose question is ours to give."""
    command = in_terminal(program, "xterm-256color")

    def start(terminal):
        terminal.wait_for("\033[6n", SECONDS)
        terminal.type(b"\033[30;100R")
        terminal.wait_for("\033[29;100H", SECONDS)
        terminal.wait_for("\u2580", SECONDS)
        terminal.wait_for("frames/s", SECONDS)

    def by_key():
        with Terminal(command) as terminal:
            start(terminal)
            terminal.type(b"q")
            terminal.wait_for(LEAVES, SECONDS)
            terminal.must_end(0)

    def by_signal():
        with Terminal(command) as terminal:
            start(terminal)
            terminal.process.send_signal(signal.SIGTERM)
            terminal.wait_for(LEAVES, SECONDS)
            terminal.must_end(128 + signal.SIGTERM)

    return by_key, by_signal


def demo_cases(programs):
    program = programs["gcc"]
    by_key, by_signal = draws_in_terminal(program)
    return [("the demo guest's data is what its source builds to", is_as_built),
            ("the demo guest's pictures are the golden ones", golden(programs)),
            ("the demo guest's picture is the same behind a save and a load",
             survives_loading(program)),
            ("without display and terminal the demo guest says its text and ends",
             ends_without_terminal(program)),
            ("in a terminal without colours the demo guest says its text and ends",
             ends_without_colours(program)),
            ("in a terminal the demo guest draws blocks, and a key ends it", by_key),
            ("a signal ends the demo guest, and the terminal is as it was", by_signal)]
