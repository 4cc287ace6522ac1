"""Debian boots to a shell, works, and powers off: with each number of harts, paging mode and
firmware, on both clocks."""

import hashlib
from itertools import product

from cases import expect

# What the kernel must be told so that it does not take the widest paging mode there is.
MMU = {"sv57": "", "sv48": "no5lvl", "sv39": "no4lvl"}
FIRMWARE = {"built-in SBI": None, "OpenSBI": "fw_dynamic.bin", "OpenSBI fw_jump": "fw_jump.bin"}
OPENSBI_ID = "0x1"


def numbers_sum(last):
    text = "".join(f"{number}\n" for number in range(1, last + 1))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def checks(harts, mmu):
    """(command, answer) pairs that any good machine gives."""
    return [
        ("uname -a", "riscv64 GNU/Linux"),
        ("echo harts=$(nproc)", f"harts={harts}"),
        ("echo mmu=$(grep -m1 mmu /proc/cpuinfo | tr -d '[:space:]:')", f"mmu=mmu{mmu}"),
        ("echo sum=$(seq 20000 | sha256sum | cut -c1-16)", f"sum={numbers_sum(20000)}"),
        ("echo fp=$(awk 'BEGIN { printf \"%.9f\", 22 / 7 * 1.5 }')", "fp=4.714285714"),
        ("echo kinds=$(for i in 1 2 3 4; do seq 9000 | md5sum & done | uniq | wc -l)",
         "kinds=1"),
        ("sleep 1000 & kill -9 %1; wait %1; echo waited=$?", "waited=137"),
        ("echo date=$(($(date +%s) > 1700000000))", "date=1"),
    ]


def boot(emulator, guest, harts, mmu, firmware, extra):
    def case():
        options = guest.options(append=MMU[mmu], harts=harts) + extra
        if FIRMWARE[firmware]:
            options += ["-bios", guest.firmware(FIRMWARE[firmware])]
        pairs = checks(harts, mmu)
        pairs.append(("echo sbi=$(dmesg | grep -o 'tion ID=0x[0-9a-f]*')", "sbi=tion ID="))
        pairs.append(("poweroff -f", "reboot: Power down"))
        name = f"boot-{harts}-{mmu}-{firmware}-{len(extra)}".replace(" ", "-")
        ended = emulator.run(name, options, pairs).must_end_with(0)
        opensbi = f"sbi=tion ID={OPENSBI_ID}\r" in ended.out
        expect(opensbi == (firmware != "built-in SBI"), f"the firmware is not {firmware}")

    return case


def exit_status(emulator, guest):
    """The test device at 0x100000: 0x3333 in the low half is a failure, the high half its status."""

    def case():
        pairs = [("devmem 0x100000 32 0x00053333", "devmem")]
        emulator.run("exit-status", guest.options(append="iomem=relaxed"), pairs).must_end_with(5)

    return case


def boot_cases(emulator, guest, is_qemu):
    cases = []
    for harts, mmu, firmware in product((1, 4), ("sv39", "sv57"), ("built-in SBI", "OpenSBI")):
        # Each value of each choice meets both clocks.
        icount = (harts == 1) != (mmu == "sv39") and not is_qemu
        name = f"Debian boots with {harts} hart(s), {mmu}, {firmware}"
        name += ", counting steps" if icount else ", on the host's clock"
        if is_qemu and firmware == "built-in SBI":
            continue
        extra = ["-icount", "shift=1"] if icount else []
        cases.append((name, boot(emulator, guest, harts, mmu, firmware, extra)))
    cases.append(("Debian boots with sv48 and OpenSBI's fw_jump",
                  boot(emulator, guest, 1, "sv48", "OpenSBI fw_jump", [])))
    cases.append(("the guest's failure status is the program's", exit_status(emulator, guest)))
    return cases
