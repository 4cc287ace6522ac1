"""Cases of the guest tests: how they are run, side by side, and counted."""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "guests"  # files that the tests make


class Failure(Exception):
    """A case did not prove its sentence; the text says what was seen."""


class Skip(Exception):
    """This host cannot run a case; the text says what it lacks."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


def tail(text, lines=12):
    return "\n".join("    | " + line.rstrip()[:160] for line in text.splitlines()[-lines:])


class Ended:
    """How a program ended: its status (negative: the signal), and what it wrote."""

    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def __str__(self):
        return "    $ " + " ".join(self.command)

    def must_end_with(self, status):
        said = f"{tail(self.out)}\n{tail(self.err)}\n{self}"
        expect(self.status == status, f"status {self.status}, not {status}\n{said}")
        return self

    def state_hash(self):
        """What -hash printed at the end."""
        self.must_end_with(0)
        found = re.findall(r"state hash: *(\w+)", self.out + self.err)
        expect(len(found) == 1, f"{len(found)} lines with a state hash\n{tail(self.out)}\n{self}")
        return found[0]


def run(command, limit=120):
    """Runs a program to its end, without input; a Failure when it takes more than limit seconds."""
    command = [str(word) for word in command]
    try:
        done = subprocess.run(command, capture_output=True, timeout=limit, check=False,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as late:
        out = (late.stdout or b"").decode(errors="replace")
        raise Failure(f"no end within {limit} s\n{tail(out)}\n    $ {' '.join(command)}") from None
    return Ended(command, done.returncode, done.stdout.decode(errors="replace"),
                 done.stderr.decode(errors="replace"))


def run_case(case):
    """"ok", "FAILED" or "skipped", which it prints with the reason."""
    name, function = case
    start = time.monotonic()
    end, why = "ok", ""
    try:
        function()
    except Skip as lack:
        end, why = "skipped", str(lack)
    except (Failure, OSError) as failure:
        end, why = "FAILED", str(failure)
    line = f"{end:6}  {name}  ({time.monotonic() - start:.1f} s)\n"
    # One write: other cases print at the same time.
    sys.stdout.write(line + (f"    {why.lstrip()}\n" if why else ""))
    sys.stdout.flush()
    return end


def run_cases(cases, jobs=None, only=""):
    """Runs (name, function) pairs, prints the count, and ends the program."""
    WORK.mkdir(parents=True, exist_ok=True)
    cases = [case for case in cases if re.search(only, case[0])]
    # One more than processors: cases wait, for a guest's timers and for peers.
    with ThreadPoolExecutor(jobs or cpu_count() + 1) as pool:
        ends = list(pool.map(run_case, cases))
    skipped = ends.count("skipped")
    print(f"{ends.count('ok')} passed, {ends.count('FAILED')} failed"
          + (f", {skipped} skipped" if skipped else ""))
    sys.exit("FAILED" in ends or not cases)
