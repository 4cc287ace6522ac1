"""Saving and loading machines, recording and replaying runs, and going back in a run."""

import random
import re
import signal
import struct
import subprocess
import time

from cases import WORK, expect, run, tail
from debian import session
from network import ASK, CARD, NetGuest

FIRST, SECOND = 300_000_000, 700_000_000  # steps


def monitor(command, lines, seconds=300):
    """Feeds the lines to the monitor at standard input, and returns what it said."""
    command = [str(word) for word in command]
    command += ["-monitor", "stdio", "-serial", "null", "-S"]
    done = subprocess.run(command, input="\n".join([*lines, "quit"]) + "\n", text=True, check=False,
                          capture_output=True, timeout=seconds)
    expect(done.returncode == 0, f"status {done.returncode}\n{tail(done.stdout)}"
           f"\n{tail(done.stderr)}\n    $ {' '.join(command)}")
    return done.stdout


def hashes(text, count):
    found = re.findall(r"state hash (0x\w+), step (\d+)", text)
    expect(len(found) == count, f"{len(found)} hashes, not {count}\n{tail(text)}")
    return found


def saved(program, guest, harts, compress):
    def case():
        path = WORK / f"saved-{harts}{compress}.rvs"
        options = [*guest.options(harts=harts), "-icount", "shift=1"]
        text = monitor([program, *options],
                       [f"run-until {FIRST}", f"savevm {path} {compress}", "info hash",
                        f"run-until {SECOND}", "info hash", f"loadvm {path}", "info hash",
                        f"run-until {SECOND}", "info hash"])
        at_save, at_end, again, end_again = hashes(text, 4)
        expect(again == at_save and end_again == at_end, f"other states\n{tail(text)}")
        for command in ([program, *options, "-loadvm", path], [program, path]):
            text = monitor(command, ["info hash", f"run-until {SECOND}", "info hash"])
            expect(hashes(text, 2) == [at_save, at_end], f"other states\n{tail(text)}")
        path.unlink()

    return case


def killed_while_saving(program, guest, seed, kills):
    def case():
        chance = random.Random(seed)
        path = WORK / "killed.rvs"
        command = [str(word) for word in (program, *guest.options(), "-icount", "shift=1")]
        monitor(command, ["run-until 1000000", f"savevm {path}"])
        for _ in range(kills):
            child = subprocess.Popen([*command, "-monitor", "stdio", "-serial", "null"], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            child.stdin.write(f"savevm {path}\n" * 200)
            child.stdin.flush()
            time.sleep(chance.uniform(0.2, 1.5))
            child.send_signal(signal.SIGKILL)
            child.wait()
            monitor([program, path], ["info status"])
        for file in WORK.glob("killed.rvs*"):
            file.unlink()

    return case


def recorded(program, guest, harts):
    def case():
        net = NetGuest(guest)
        log, disk = WORK / f"record-{harts}.log", WORK / f"record-{harts}.raw"
        with disk.open("wb") as image:
            image.truncate(16 << 20)
        before = disk.stat().st_mtime_ns
        script = WORK / f"record-{harts}.script"
        lines = session(net.load, ASK, ("ping -c 3 10.0.2.2", "3 packets received"),
                        ("dd if=/dev/urandom of=/dev/vda bs=1M count=4 && sync && echo do''ne",
                         "done"), ("md5sum /dev/vda | cut -c1-6", "~ #"))
        script.write_text("\n".join([*lines, 'send "poweroff -f\\n"']) + "\n")
        options = [program, *net.options(), "-smp", harts, "-netdev", "user,id=n0", *CARD, "-drive",
                   f"file={disk},format=raw,if=virtio", "-hash"]
        original = run([*options, "-record", log, "-script", script], 300).state_hash()
        expect(disk.stat().st_mtime_ns == before, "recording wrote to the user's disk")
        replayed = run([*options, "-replay", log], 300).state_hash()
        expect(original == replayed, f"{original} recorded, {replayed} replayed")
        disk.write_bytes(b"x" * (16 << 20))
        refused = run([*options, "-replay", log], 60)
        refused.must_end_with(1)
        expect("is of another machine: it has 'drive" in refused.err, refused.err)

    return case


def whole_records(log):
    """The times of a recording's records, in ns, but for what is not all there."""
    data, at, times = log.read_bytes(), 8, []
    while at + 8 <= len(data):
        size, _ = struct.unpack_from("<II", data, at)
        at += 8 + size
        if at <= len(data):
            times.append(struct.unpack_from("<Q", data, at - size)[0])
    return times


def kill_one(command, log, chance):
    log.unlink(missing_ok=True)
    with subprocess.Popen([*command, "-record", str(log)], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL) as child:
        while not log.exists():
            time.sleep(0.001)
        for _ in range(chance.randrange(20)):
            child.stdin.write(b"some of what is typed\n")
            child.stdin.flush()
            time.sleep(chance.uniform(0, 0.1))
        child.kill()


def killed_while_recording(program, guest, seed, kills):
    def case():
        chance = random.Random(seed)
        log = WORK / "killed.log"
        command = [str(word) for word in (program, *guest.options())]
        for _ in range(kills):
            kill_one(command, log, chance)
            times = whole_records(log)
            ended = run([*command, "-replay", log], 120).must_end_with(0 if times else 1)
            end = re.search(r"the recording ends at step \d+, (\d+) ns; "
                            r"(it was cut short|the rest of the file is damaged)", ended.err)
            expect(not times or end and int(end[1]) == times[-1],
                   f"the last of {len(times)} records is of {times[-1:]}\n{tail(ended.err)}")
        log.unlink()

    return case


def gone_back(program, guest, harts, seed, moments):
    def case():
        chance = random.Random(seed)
        steps = sorted(chance.randrange(1, SECOND) for _ in range(moments))
        visits = steps[:-1] * 2
        chance.shuffle(visits)
        lines = [line for step in steps for line in (f"run-until {step}", "info hash")]
        lines += [line for step in visits for line in (f"goto {step}", "info hash")]
        lines += [f"goto {steps[-1]}", "info hash", "reverse-step 5", "info hash", "step 5",
                  "info hash"]
        text = monitor([program, *guest.options(harts=harts), "-history", "256M"], lines)
        found = hashes(text, len(steps) + len(visits) + 3)
        known = {step: found[i] for i, step in enumerate(steps)}
        for step, seen in zip(visits, found[len(steps):]):
            expect(seen == known[step], f"step {step}: {known[step]}, and {seen} later")
        end, back, forth = found[-3:]
        expect(end == known[steps[-1]] and forth == end and back != end, f"{end} {back} {forth}")

    return case


def who_wrote(program, guest):
    def case():
        text = monitor([program, *guest.options(), "-history", "256M"],
                       [f"run-until {FIRST}", "who-wrote $sp 8", "info hash", "x/1i $pc",
                        "who-wrote phys 0x80200000 4"])
        expect(re.search(r"step \d+, hart 0\n0x\w+: +\w+ +\w+", text), tail(text))
        expect(re.search(r"0x\w+, \d+ bytes: 0x\w+ became 0x\w+", text), tail(text))
        expect("Nobody since step 0." in text, tail(text))

    return case


def gone_back_behind_a_load(program, guest):
    def case():
        path = WORK / "past.rvs"
        options = [program, *guest.options(), "-icount", "shift=1"]
        monitor(options, [f"run-until {FIRST}", f"savevm {path}"])
        later = FIRST + 50_000_000
        text = monitor([*options, "-history", "256M", "-loadvm", path],
                       [f"run-until {later}", "info hash", f"run-until {SECOND}", f"goto {later}",
                        "info hash", f"loadvm {path}", f"run-until {later}", "info hash",
                        f"run-until {SECOND}", f"goto {later}", "info hash"])
        found = hashes(text, 4)
        expect(len(set(found)) == 1, f"other states\n{tail(text)}")
        path.unlink()

    return case


def changed_by_hand(program, guest):
    def case():
        log = WORK / "edit.log"
        options = [program, *guest.options()]
        end = FIRST + 5_000_000
        before = monitor([*options, "-record", log],
                         [f"run-until {FIRST}", "set s11 0x1234", "write/g $sp 0x5678", "step 3",
                          f"run-until {FIRST + 1000}", "system_reset", f"run-until {end}",
                          "info hash"])
        text = monitor([*options, "-replay", log, "-history", "256M"],
                       [f"run-until {end}", "info hash", f"goto {FIRST}", "p $s11", "set s11 1",
                        "branch", "set s11 1", "p $s11"])
        expect(hashes(before, 1) == hashes(text, 1), f"{tail(before)}\n{tail(text)}")
        expect(re.search(r"0x1234\n.*`branch`.*\n.*0x1\n", text), tail(text))
        log.unlink()

    return case


def bisected(program, guest):
    def case():
        logs = [WORK / f"bisect-{name}.log" for name in "ab"]
        script = WORK / "bisect.script"
        for log, word in zip(logs, ("one", "two")):
            lines = [*session((f"echo {word}", "~ #")), 'send "poweroff -f\\n"']
            script.write_text("\n".join(lines) + "\n")
            run([program, *guest.options(), "-record", log, "-script", script], 300)
        command = [program, "replay", "--bisect"]
        found = run([*command, *logs, *guest.options()], 300).must_end_with(1)
        expect("serial0 takes" in found.out and "One step later" in found.out, tail(found.out))
        run([*command, logs[0], logs[0], *guest.options()], 300).must_end_with(0)
        for log in logs:
            log.unlink()

    return case


def gdb_backwards(program, guest):
    def case():
        socket = WORK / "past.gdb"
        command = [program, *guest.options(harts=2), "-history", "256M", "-S", "-monitor", "none",
                   "-serial", "null", "-gdb", f"unix:{socket},server=on,wait=off"]
        child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL)
        try:
            while not socket.exists():
                time.sleep(0.05)
            words = ["set pagination off", f"target remote {socket}", "stepi 40", "p/x $pc",
                     "stepi 3", "reverse-stepi 3", "p/x $pc", "stepi 2000", "break *$pc", "p/x $pc",
                     "stepi 100", "reverse-continue", "p/x $pc", "delete", "reverse-continue",
                     "p/x $pc", "kill"]
            gdb = ["gdb-multiarch", "-nx", "-q", "-batch"]
            done = run(gdb + [part for word in words for part in ("-ex", word)], 120)
            seen = re.findall(r"\$\d+ = (0x\w+)", done.out)
            expect(len(seen) == 5 and seen[0] == seen[1] and seen[2] == seen[3] and
                   seen[4] == "0x80200000", f"{seen}\n{tail(done.out)}")
            expect("No more reverse-execution history" in done.out, tail(done.out))
        finally:
            child.kill()
            child.wait()

    return case


def past_cases(program, guest, seed, long):
    cases = [("who wrote to the stack is found", who_wrote(program, guest)),
             ("gdb goes back by steps and to breakpoints", gdb_backwards(program, guest)),
             ("a recording that was killed is played as far as it goes",
              killed_while_recording(program, guest, seed, 20 if long else 4)),
             ("a machine file survives kills while it is written",
              killed_while_saving(program, guest, seed, 20 if long else 3))]
    for harts in (1, 4) if long else (4,):  # tests/unit has one hart too
        where = f"with {harts} hart(s)"
        cases += [(f"a saved machine {where} goes on as it would have",
                   saved(program, guest, harts, "")),
                  (f"a recorded run {where}, disk and network is played again",
                   recorded(program, guest, harts)),
                  (f"moments of a boot {where} are reached again",
                   gone_back(program, guest, harts, seed, 100 if long else 12))]
    cases += [("a machine that was loaded goes back", gone_back_behind_a_load(program, guest)),
              ("what is changed by hand is changed again in a replay",
               changed_by_hand(program, guest)),
              ("the step at which two recordings part is found", bisected(program, guest))]
    cases.append(("a compressed saved machine goes on too", saved(program, guest, 1, "compress")))
    return cases
