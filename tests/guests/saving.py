"""Machines saved inside of their disks, saved anywhere in a boot, and cases run from one moment."""

import random
import shutil
import signal
import subprocess
import time

from cases import WORK, Skip, expect, run, tail
from past import FIRST, SECOND, hashes, monitor


def disks(program, name, count=1):
    """Makes qcow2 images and returns them with the options for them."""
    images, options = [], []
    for number in range(count):
        image = WORK / f"{name}-{number}.qcow2"
        run([program, "img", "create", "-q", "-f", "qcow2", image, "64M"]).must_end_with(0)
        images.append(image)
        options += ["-drive", f"file={image},format=qcow2,if=virtio"]
    return images, options


def qemu_agrees(program, images):
    if not shutil.which("qemu-img"):
        raise Skip("there is no qemu-img")
    for image in images:
        run(["qemu-img", "check", image]).must_end_with(0)
        ours = run([program, "img", "snapshot", "-l", image]).must_end_with(0).out
        theirs = run(["qemu-img", "snapshot", "-l", image]).must_end_with(0).out
        expect(ours == theirs, f"{tail(ours)}\n{tail(theirs)}")


def saved_inside(program, guest, harts):
    def case():
        images, drives = disks(program, f"inside-{harts}", 2)
        command = [program, *guest.options(harts=harts), "-icount", "shift=1", *drives]
        text = monitor(command, [f"run-until {FIRST}", "savevm first", "info hash",
                                 f"run-until {SECOND}", "savevm second compress", "info hash",
                                 "loadvm first", "info hash", f"run-until {SECOND}", "info hash",
                                 "info snapshots"])
        at_save, at_end, again, end_again = hashes(text, 4)
        expect(again == at_save and end_again == at_end, f"other states\n{tail(text)}")
        expect("first" in text and "second" in text, tail(text))
        qemu_agrees(program, images)
        text = monitor([*command, "-loadvm", "first"],
                       ["info hash", f"run-until {SECOND}", "info hash", "delvm first",
                        "delvm second", "info snapshots"])
        expect(hashes(text, 2) == [at_save, at_end], f"other states\n{tail(text)}")
        expect("There is no snapshot available." in text, tail(text))
        qemu_agrees(program, images)
        for image in images:
            image.unlink()

    return case


def killed_while_saving_inside(program, guest, seed, kills):
    def case():
        chance = random.Random(seed)
        images, drives = disks(program, "killed")
        command = [str(word) for word in (program, *guest.options(), "-icount", "shift=1", *drives)]
        monitor(command, ["run-until 1000000", "savevm kept"])
        for _ in range(kills):
            child = subprocess.Popen([*command, "-monitor", "stdio", "-serial", "null"], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            child.stdin.write("savevm kept\nsavevm other\ndelvm other\nloadvm kept\n" * 50)
            child.stdin.flush()
            time.sleep(chance.uniform(0.2, 1.5))
            child.send_signal(signal.SIGKILL)
            child.wait()
            qemu_agrees(program, images)
            monitor([*command, "-loadvm", "kept"], ["info status"])
        images[0].unlink()

    return case


def saved_anywhere(program, guest, seed, count):
    """Each save is loaded at once; the run must be that which nobody saved."""

    def case():
        chance = random.Random(seed)
        path = WORK / "anywhere.rvs"
        steps = sorted(chance.randrange(1, SECOND) for _ in range(count))
        command = [program, *guest.options(), "-icount", "shift=1"]
        plain = monitor(command, [f"run-until {SECOND}", "info hash"])
        lines = []
        for step in steps:
            lines += [f"run-until {step}", "info hash", f"savevm {path}", f"loadvm {path}",
                      "info hash"]
        text = monitor(command, [*lines, f"run-until {SECOND}", "info hash"])
        found = hashes(text, 2 * count + 1)
        for before, after in zip(found[:-1:2], found[1::2]):
            expect(before == after, f"saved as {before}, loaded as {after}")
        expect(found[-1] == hashes(plain, 1)[0], f"another end; steps {steps}")
        path.unlink()

    return case


class ForkServer:
    def __init__(self, command):
        self.child = subprocess.Popen([str(word) for word in (*command, "-fork-server")],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        greeting = self.child.stdout.readline()
        expect(greeting == b"rivulet fork server 1\n", f"{greeting}")

    def case(self, text, limit_ns):
        self.child.stdin.write(b"%d %d\n%b" % (len(text), limit_ns, text))
        self.child.stdin.flush()
        end, status, steps, count = self.child.stdout.readline().split()
        return end.decode(), int(status), int(steps), self.child.stdout.read(int(count))

    def close(self):
        self.child.stdin.close()
        expect(self.child.wait(60) == 0, "the fork server failed at its end")


def forked(program, guest):
    def case():
        path = WORK / "forked.rvs"
        command = [program, *guest.options(), "-icount", "shift=1"]
        monitor(command, [f"run-until {FIRST * 4}", f"savevm {path}"])
        server = ForkServer([*command, "-loadvm", path])
        answers = [server.case(b"echo o''ne >/tmp/x; ls /tmp\n", 100_000_000),
                   server.case(b"ls /tmp; poweroff -f\n", 10_000_000_000),
                   server.case(b"", 1_000_000)]
        expect(b"\nx\r\n" in answers[0][3], f"{answers[0]}")
        expect(answers[1][:2] == ("power-off", 0) and b"\nx\r\n" not in answers[1][3],
               f"{answers[1]}")
        expect(answers[2][0] == "limit" and answers[2][3] == b"", f"{answers[2]}")
        for number in (1, 0, 2, 0, 1):
            text, limit = [(b"echo o''ne >/tmp/x; ls /tmp\n", 100_000_000),
                           (b"ls /tmp; poweroff -f\n", 10_000_000_000),
                           (b"", 1_000_000)][number]
            expect(server.case(text, limit) == answers[number], f"case {number} is another run")
        server.close()
        path.unlink()

    return case


def saving_cases(program, guest, seed, long):
    cases = [("disks with saved machines survive kills",
              killed_while_saving_inside(program, guest, seed, 20 if long else 3)),
             (f"a boot is the same when it is saved and loaded at {100 if long else 10} steps",
              saved_anywhere(program, guest, seed, 100 if long else 10)),
             ("cases of the fork server know nothing of each other", forked(program, guest))]
    cases += [(f"a machine with {harts} hart(s) is saved inside of its disks",
               saved_inside(program, guest, harts)) for harts in (1, 4)]
    return cases
