"""Disks that boot, made by script and without root: an MBR with one ext4 partition whose
extlinux.conf names Debian's kernel, and a GPT with one EFI partition with systemd-boot."""

import gzip
import struct
import subprocess
import threading
import uuid
import zlib
from pathlib import Path, PurePosixPath as Name

from cases import ROOT, WORK, expect, run
from debian import Rivulet

SECTOR = 512
FIRST_SECTOR = 2048  # where partitions begin by custom
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
GPT_ENTRIES, GPT_ENTRY_BYTES = 128, 128
TABLE_SECTORS = GPT_ENTRIES * GPT_ENTRY_BYTES // SECTOR

OFF = ("poweroff -f", "reboot: Power down")


def firmware_folder():
    done = subprocess.run([ROOT / "tools/guest", "--firmware"], stdout=subprocess.PIPE, check=True,
                          text=True)
    return done.stdout.strip()


def uimage(payload, load):
    """A legacy U-Boot image of a kernel for RISC-V: its header and its payload."""
    def header(crc):
        return struct.pack(">IIIIIIIBBBB32s", 0x27051956, crc, 0, len(payload), load, load,
                           zlib.crc32(payload), 5, 26, 2, 0, b"OpenSBI and Linux")
    return header(zlib.crc32(header(0))) + payload


def opensbi_and_kernel(guest):
    """What U-Boot in M-mode can start: OpenSBI at the base of RAM, the kernel where it jumps to."""
    with open(guest.firmware("fw_jump.bin"), "rb") as file:
        firmware = file.read()
    with open(guest.kernel, "rb") as file:
        return uimage(firmware.ljust(0x200000, b"\0") + file.read(), 0x80000000)


def extlinux(append):
    """A boot menu with one entry."""
    return ("default debian\nlabel debian\n  linux /boot/kernel\n  initrd /boot/initrd\n"
            f"  append console=ttyS0 {append}\n")


def ext4_disk(tree, name):
    """An MBR disk whose one partition has the files of a folder."""
    part, disk = WORK / f"{name}.part", WORK / f"{name}.img"
    part.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, part, "100M"], check=True,
                   stdout=subprocess.DEVNULL)
    data = part.read_bytes()
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", FIRST_SECTOR,
                        len(data) // SECTOR)
    disk.write_bytes((b"\0" * 446 + entry + b"\0" * 48 + b"\x55\xaa").ljust(
        FIRST_SECTOR * SECTOR, b"\0") + data)
    part.unlink()
    return disk


def extlinux_disk(guest, kernel, name):
    """A disk that boots to the initramfs; kernel is the contents of what extlinux.conf names."""
    tree = WORK / f"{name}.tree"
    (tree / "boot/extlinux").mkdir(parents=True, exist_ok=True)
    (tree / "boot/kernel").write_bytes(kernel)
    with open(guest.initramfs, "rb") as file:
        (tree / "boot/initrd").write_bytes(gzip.compress(file.read(), 1, mtime=0))
    (tree / "boot/extlinux/extlinux.conf").write_text(extlinux("from=extlinux"))
    return ext4_disk(tree, name)


def fat(files, megabytes, part):
    """A FAT32 file system with these files: name -> Path, or contents."""
    part.unlink(missing_ok=True)
    subprocess.run(["mformat", "-i", part, "-C", "-T", str(megabytes << 11), "-h", "64", "-s", "32",
                    "-F", "::"], check=True)
    folders = {str(folder) for name in files for folder in list(name.parents)[:-1]}
    for folder in sorted(folders):
        subprocess.run(["mmd", "-i", part, f"::{folder}"], check=True)
    for name, content in files.items():
        if isinstance(content, str):
            temporary = part.with_suffix(".file")
            temporary.write_text(content)
            content = temporary
        subprocess.run(["mcopy", "-i", part, content, f"::{name}"], check=True)
    return part.read_bytes()


def gpt(data):
    """A disk with one EFI partition (UEFI 2.10, section 5.3)."""
    sectors = len(data) // SECTOR
    total = FIRST_SECTOR + sectors + FIRST_SECTOR
    entries = struct.pack("<16s16sQQQ72s", ESP.bytes_le, uuid.UUID(int=1).bytes_le, FIRST_SECTOR,
                          FIRST_SECTOR + sectors - 1, 0, "ESP".encode("utf-16-le"))
    entries = entries.ljust(GPT_ENTRIES * GPT_ENTRY_BYTES, b"\0")
    last = total - 1

    def header(here, other, table):
        def with_crc(crc):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other,
                               2 + TABLE_SECTORS, last - 1 - TABLE_SECTORS,
                               uuid.UUID(int=2).bytes_le, table, GPT_ENTRIES, GPT_ENTRY_BYTES,
                               zlib.crc32(entries))
        return with_crc(zlib.crc32(with_crc(0))).ljust(SECTOR, b"\0")

    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, last)
    front = b"\0" * 446 + protective + b"\0" * 48 + b"\x55\xaa" + header(1, last, 2) + entries
    back = entries + header(last, 1, last - TABLE_SECTORS)
    return (front.ljust(FIRST_SECTOR * SECTOR, b"\0") + data
            + back.rjust(FIRST_SECTOR * SECTOR, b"\0"))


def efi_disk(guest, firmware, name):
    """A GPT disk whose EFI partition has systemd-boot, the kernel and its initrd."""
    files = {
        Name("EFI/BOOT/BOOTRISCV64.EFI"): Path(firmware, "systemd/boot/efi",
                                               "systemd-bootriscv64.efi"),
        Name("kernel"): Path(guest.kernel),
        Name("initrd"): Path(guest.initramfs),
        Name("loader/loader.conf"): "timeout 0\ndefault debian.conf\n",
        Name("loader/entries/debian.conf"):
            "title Debian\nlinux /kernel\ninitrd /initrd\noptions console=ttyS0 from=efi\n",
    }
    part, disk = WORK / f"{name}.part", WORK / f"{name}.img"
    disk.write_bytes(gpt(fat(files, 80, part)))
    part.unlink()
    return disk


def boots(rivulet, name, make, words, said):
    """Boots the disk that make() gives to a shell; `said` is on the kernel's command line."""
    def case():
        command = [str(word) for word in words(make())]
        pairs = [("cat /proc/cmdline", said), OFF]
        Rivulet(rivulet).run(f"bootable-{name}", command, pairs).must_end_with(0)

    return case


class Disks:
    """Each disk is made once, by the first case that wants it."""

    def __init__(self, guest):
        self.guest, self.firmware, self.lock = guest, firmware_folder(), threading.Lock()
        self.made = {}

    def get(self, name, make):
        with self.lock:
            if name not in self.made:
                self.made[name] = make()
            return self.made[name]

    def plain(self):
        def make():
            with open(self.guest.kernel, "rb") as file:
                return extlinux_disk(self.guest, file.read(), "bootable-s")
        return self.get("s", make)

    def for_m_mode(self):
        return self.get("m", lambda: extlinux_disk(self.guest, opensbi_and_kernel(self.guest),
                                                   "bootable-m"))

    def efi(self):
        return self.get("efi", lambda: efi_disk(self.guest, self.firmware, "bootable-efi"))


def on_virtio(device, disk):
    return ["-drive", f"file={disk},format=raw,if=none,id=d", "-device", f"{device},drive=d"]


def variables_are_kept(rivulet, disks):
    """EDK2 writes its variables into the image of the second flash, through the command set."""
    def case():
        folder = f"{disks.firmware}/qemu-efi-riscv64"
        template = Path(folder, "RISCV_VIRT_VARS.fd").read_bytes()
        variables = WORK / "bootable-vars.fd"
        variables.write_bytes(template)
        command = ["-m", "1G", "-pflash", f"{folder}/RISCV_VIRT_CODE.fd", "-snapshot", "-drive",
                   f"if=pflash,format=raw,snapshot=off,file={variables}",
                   "-drive", f"file={disks.efi()},format=raw,if=virtio"]
        pairs = [("cat /proc/cmdline", "from=efi"), OFF]
        for _ in range(2):
            Rivulet(rivulet).run("bootable-vars", command, pairs).must_end_with(0)
        after = variables.read_bytes()
        expect(len(after) == len(template), "the image has another size")
        expect("BootOrder".encode("utf-16-le") in after, "the order of booting is not there")

    return case


def same_state_with_flash(rivulet, disks):
    """Saving and loading in the midst of EDK2's start does not show in the state."""
    def case():
        folder = f"{disks.firmware}/qemu-efi-riscv64"
        command = [rivulet, "-m", "512M", "-snapshot", "-pflash", f"{folder}/RISCV_VIRT_CODE.fd",
                   "-pflash", f"{folder}/RISCV_VIRT_VARS.fd", "-serial", "null", "-icount", "1",
                   "-until", "2s", "-hash"]
        hashes = [run([*command, *extra]).state_hash()
                  for extra in ([], ["-save-load", "700ms", "-save-load", "1500ms"])]
        expect(hashes[0] == hashes[1], f"the states differ: {hashes}")

    return case


def bootable_cases(rivulet, guest):
    disks = Disks(guest)
    uboot = f"{disks.firmware}/u-boot"
    smode, mmode = f"{uboot}/qemu-riscv64_smode/u-boot.bin", f"{uboot}/qemu-riscv64/u-boot.bin"
    edk2 = f"{disks.firmware}/qemu-efi-riscv64"
    opensbi = guest.firmware("fw_dynamic.bin")

    def case(sentence, make, words, said):
        return (sentence, boots(rivulet, sentence.replace(" ", "-"), make, words, said))

    cases = [
        case("a disk alone boots through U-Boot", disks.plain,
             lambda d: ["-L", disks.firmware, "-snapshot", d], "from=extlinux"),
        case("an EFI disk alone boots through U-Boot", disks.efi,
             lambda d: ["-L", disks.firmware, "-snapshot", d], "from=efi"),
        case("an EFI disk alone boots through EDK2", disks.efi,
             lambda d: ["-L", edk2, "-snapshot", d], "from=efi"),
        case("EDK2 starts the kernel that fw_cfg gives it", disks.plain,
             lambda d: ["-m", "1G", "-snapshot", "-pflash", f"{edk2}/RISCV_VIRT_CODE.fd",
                        "-pflash", f"{edk2}/RISCV_VIRT_VARS.fd", "-kernel", guest.kernel,
                        "-initrd", guest.initramfs, "-append", "console=ttyS0 from=fw_cfg"],
             "from=fw_cfg"),
        ("EDK2 keeps its variables in the image of a flash", variables_are_kept(rivulet, disks)),
        ("EDK2 in flash: save and load do not show in the state",
         same_state_with_flash(rivulet, disks)),
    ]
    for device in ("virtio-blk-device", "virtio-blk-pci"):
        cases += [
            case(f"U-Boot in S-mode boots a disk at {device}", disks.plain,
                 lambda d, device=device: ["-m", "512M", "-snapshot", "-kernel", smode,
                                           *on_virtio(device, d)], "from=extlinux"),
            case(f"U-Boot in S-mode under OpenSBI boots a disk at {device}", disks.plain,
                 lambda d, device=device: ["-m", "512M", "-snapshot", "-bios", opensbi, "-kernel",
                                           smode, *on_virtio(device, d)], "from=extlinux"),
            case(f"U-Boot in M-mode boots OpenSBI and Debian from a disk at {device}",
                 disks.for_m_mode,
                 lambda d, device=device: ["-m", "512M", "-snapshot", "-bios", mmode,
                                           *on_virtio(device, d)], "from=extlinux"),
        ]
    return cases
