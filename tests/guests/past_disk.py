"""A whole Debian with ssh, recorded and played again, and gone back in."""

import random
import re

from cases import WORK, expect, run
from disk import BOOT_SECONDS, LOGIN, DebianDisk, running
from network import free_port
from past import hashes, monitor

REPLAY_SECONDS = 1800
MOMENTS = 5


def recorded_session(debian, options, port):
    """Work by ssh and at the console, with the power-off. Returns the state's hash."""
    with running([*options, "-hash"]) as console:
        console.wait_for(LOGIN, BOOT_SECONDS)
        state = debian.ssh(port, "systemctl is-system-running --wait")
        expect(state == "running\n", f"systemd is not content: {state}")
        said = debian.ssh(port, "seq 500000 >numbers; sync; sha256sum <numbers")
        console.type("root\n")
        console.wait_for("# ", BOOT_SECONDS)
        console.type("sha256sum <numbers\n")
        console.wait_for(said.split()[0], BOOT_SECONDS)
        debian.ssh(port, "rm numbers; sync")
        console.type("poweroff\n")
    return re.findall(r"state hash: *(\w+)", console.text)


def recorded_debian(program, harts, seed):
    def case():
        chance = random.Random(seed)
        debian, port = DebianDisk(program, f"debian-past-{harts}"), free_port()
        log = WORK / f"debian-past-{harts}.log"
        options = [*debian.rivulet(port), "-smp", harts, "-snapshot", "-m", "1G"]
        image = debian.disk.read_bytes()
        original = recorded_session(debian, [*options, "-record", log], port)
        replay = run([*options, "-hash", "-replay", log], REPLAY_SECONDS)
        expect([replay.state_hash()] == original, f"{original} recorded, {replay.state_hash()}")
        expect(debian.disk.read_bytes() == image, "the user's disk was written to")
        steps = sorted(chance.randrange(10**8, 8 * 10**9) for _ in range(MOMENTS))
        visits = chance.sample(steps, MOMENTS)
        there = [line for step in steps for line in (f"run-until {step}", "info hash")]
        back = [line for step in visits for line in (f"goto {step}", "info hash")]
        text = monitor([*options, "-replay", log, "-history", "1G"], there + back, REPLAY_SECONDS)
        found = hashes(text, 2 * MOMENTS)
        known = dict(zip(steps, found))
        for step, seen in zip(visits, found[MOMENTS:]):
            expect(seen == known[step], f"step {step}: {known[step]}, and {seen} later")
        for file in (debian.disk, log):
            file.unlink()

    return case


def past_disk_cases(program, seed):
    return [(f"a recorded Debian with {harts} hart(s), ssh and typing is played again and gone "
             "back in", recorded_debian(program, harts, seed)) for harts in (1, 4)]
