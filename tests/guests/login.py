"""A small computer on a disk: U-Boot's menu, Debian's kernel, and an ext4 root with busybox as its
init, made in seconds. It is what disk.py's whole Debian is, for `./check`."""

import shutil
import subprocess
from pathlib import Path

from bootable import FIRST_SECTOR, SECTOR, ext4_disk, extlinux, firmware_folder
from boots import numbers_sum
from cases import ROOT, WORK, run
from debian import BOOT_SECONDS, PROMPT, STEP_SECONDS

INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs devtmpfs /dev
while read -r module; do /bin/busybox insmod "/modules/$module"; done </modules/order
/bin/busybox mkdir /disk
/bin/busybox mount -t ext4 -o ro /dev/vda1 /disk
exec /bin/busybox switch_root /disk /sbin/init
"""
FILES = {
    "etc/passwd": "root::0:0:root:/root:/bin/sh\n",
    "etc/inittab": "::sysinit:/etc/start\nttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100\n"
                   "::shutdown:/bin/umount -a -r\n",
    "etc/start": "#!/bin/sh\nmount -t proc proc /proc\nmount -t devtmpfs devtmpfs /dev\n"
                 "mount -o remount,rw /\nhostname rivulet\ndmesg -n 1\n",
    "boot/extlinux/extlinux.conf": extlinux("quiet"),
}
COMMANDS = ("bin/sh bin/cut bin/dmesg bin/hostname bin/login bin/mount bin/umount sbin/getty "
            "sbin/init sbin/poweroff sbin/reboot usr/bin/seq usr/bin/sha256sum").split()


def make_tree(guest, tree):
    """The root of the disk, with the kernel and its initrd, which loads what mounts the disk."""
    for folder in ("dev", "proc", "root", "boot/extlinux", "etc", "bin", "sbin", "usr/bin"):
        (tree / folder).mkdir(parents=True)
    for name, text in FILES.items():
        (tree / name).write_text(text)
    (tree / "etc/start").chmod(0o755)
    shutil.copy(guest.busybox, tree / "bin/busybox")
    (tree / "bin/busybox").chmod(0o755)
    for name in COMMANDS:
        (tree / name).symlink_to("/bin/busybox")
    shutil.copy(guest.kernel, tree / "boot/kernel")
    init = tree.with_suffix(".init")
    init.write_text(INIT)
    subprocess.run([ROOT / "tools/make-initramfs", "--init", init, "--busybox", guest.busybox,
                    "--gzip", "--output", tree / "boot/initrd", *guest.modules()], check=True)


def make_disk(program, guest):
    tree, disk = WORK / "login.tree", WORK / "login.qcow2"
    shutil.rmtree(tree, ignore_errors=True)
    make_tree(guest, tree)
    raw = ext4_disk(tree, "login")
    run([program, "img", "convert", "-q", "-O", "qcow2", raw, disk]).must_end_with(0)
    raw.unlink()
    return disk


def log_in(command, answer):
    """Lines of a console script: a boot, root's login, and one command."""
    return [f'expect "rivulet login: " within {BOOT_SECONDS}s', 'send "root\\n"',
            f'expect "{PROMPT}" within {STEP_SECONDS}s', f'send "{command}\\n"',
            f'expect "{answer}" within {STEP_SECONDS}s']


def check_disk(program, disk):
    run(["qemu-img", "check", disk]).must_end_with(0)
    raw = Path(f"{disk}.raw")
    run([program, "img", "convert", "-q", "-O", "raw", disk, raw]).must_end_with(0)
    run(["/sbin/e2fsck", "-f", "-n", f"{raw}?offset={FIRST_SECTOR * SECTOR}"]).must_end_with(0)
    raw.unlink()


def logs_in(program, guest):
    """A file that was written before a reboot is there behind it."""

    def case():
        disk, script = make_disk(program, guest), WORK / "login.script"
        lines = [f"timeout {3 * BOOT_SECONDS}s", 'fail "Kernel panic"',
                 *log_in("seq 50000 >numbers; reboot", "Restarting system"),
                 *log_in("sha256sum numbers | cut -c1-16", numbers_sum(50000)),
                 'send "poweroff\\n"', f'expect "Power down" within {STEP_SECONDS}s']
        script.write_text("\n".join(lines) + "\n")
        run([program, "-L", firmware_folder(), disk, "-script", script],
            3 * BOOT_SECONDS).must_end_with(0)
        check_disk(program, disk)
        disk.unlink()

    return case


def login_cases(program, guest):
    return [("a small disk boots to login, keeps a file over a reboot, and is whole after it",
             logs_in(program, guest))]
