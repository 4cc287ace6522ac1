"""A machine with a screen and a virtio console goes back: the picture is that of the moment, and what
was printed is not printed again."""

import re

from cases import WORK, expect, tail
from past import hashes, monitor

# Pictures and lines without end; the kernel runs it in place of init.
DRAWING = r"""/bin/busybox --install -s /bin
mount -t devtmpfs none /dev
for m in %s; do insmod /modules/$m.ko; done
exec 3>/dev/hvc0
n=0
while true; do
    n=$((n + 1))
    printf "\033[4$((n %% 7 + 1))m\033[2J\033[$((n %% 20 + 1));1Hpicture $n" >/dev/tty0
    echo "line $n." >&3
done
"""
MODULES = {"virtio-gpu-pci": "drm drm_kms_helper drm_shmem_helper virtio_dma_buf virtio-gpu",
           "bochs-display": "drm drm_kms_helper ttm drm_ttm_helper drm_vram_helper bochs"}
MOMENTS = [3_000_000_000 + 60_000_000 * i for i in range(5)]  # steps; it draws by then


def drawing_guest(guest, device):
    name = f"past-{device}"
    script = WORK / f"{name}.sh"
    script.write_text(DRAWING % MODULES[device], encoding="ascii")
    files = {f"modules/{m}.ko": f"{guest.folder}/modules/{m}.ko" for m in MODULES[device].split()}
    options = guest.options("quiet rdinit=/bin/sh -- /drawing")
    options[options.index("-initrd") + 1] = guest.pack(f"{name}.cpio", {"drawing": script, **files})
    return options


def pictures_come_again(program, guest, device):
    def case():
        printed = WORK / f"past-{device}.printed"
        pictures = [WORK / f"past-{device}-{i}.ppm" for i in range(10)]
        visits = [MOMENTS[0], *MOMENTS[3:0:-1], MOMENTS[4]]  # the last is the present
        lines = [line for word, steps, picture
                 in zip(["run-until"] * 5 + ["goto"] * 5, MOMENTS + visits, pictures)
                 for line in (f"{word} {steps}", f"screendump {picture}", "info hash")]
        text = monitor([program, *drawing_guest(guest, device), "-history", "256M", "-vnc",
                        ":0,to=500", "-device", f"{device},xres=640,yres=480", "-device",
                        "virtio-serial-pci", "-chardev", f"file,id=c,path={printed}", "-device",
                        "virtconsole,chardev=c"],
                       [*lines, f"run-until {MOMENTS[4] + 60_000_000}"])
        seen = [(found, picture.read_bytes())
                for found, picture in zip(hashes(text, 10), pictures)]
        first = dict(zip(MOMENTS, seen))
        expect(len({picture for _, picture in first.values()}) == 5, "pictures that do not change")
        for steps, (found, picture) in zip(visits, seen[5:]):
            expect(found == first[steps][0], f"step {steps}: another state\n{tail(text)}")
            expect(picture == first[steps][1], f"step {steps}: another picture")
        numbers = [int(n) for n in re.findall(r"line (\d+)\.", printed.read_text())]
        expect(len(numbers) > 20 and numbers == list(range(1, len(numbers) + 1)),
               f"lines {numbers}")
        for file in (printed, *pictures):
            file.unlink()

    return case


def past_screen_cases(program, guest):
    return [(f"the picture of a moment comes again on {device}, and no line is printed twice",
             pictures_come_again(program, guest, device)) for device in MODULES]
