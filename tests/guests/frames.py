"""What Debian's kernel shows on its console, judged by likeness: a picture becomes 32 x 24 levels of
grey, and is like another when these differ little on average. So a few pixels may be others in
another kernel's font; a picture that lies wrong, or is not all there, or has wrong colours, is not
like it."""

from pathlib import Path

from cases import ROOT, WORK, expect, run
from debian import session

SIZE = (1024, 768)
CELLS = (32, 24)
LIMIT = 4  # of 255, on average; what a case shows to be wrong is more than twice as far
SECONDS = 240
GOLDEN = ROOT / "tests/guests/golden"

# Bars of the console's colours, in steps so that no two columns or bands are alike; below them
# letters; then all of it moves up by six lines, which the console does by drawing anew.
CARD = r"""#!/bin/sh
dmesg -n 1
printf '\033[2J\033[?25l'
for row in $(seq 0 39); do
    printf "\033[$((row + 1));1H"
    for bar in 0 1 2 3 4 5 6 7; do
        printf "\033[4$(((bar + row / 8 * 3) % 8))m%16s" ''
    done
done
printf '\033[0m'
for row in 41 42 43 44 45 46 47 48; do
    printf "\033[$row;1H%$((row * 2))s" 'The quick brown fox jumps over the lazy dog. 0123456789'
done
printf '\n\n\n\n\n\n'
"""


class Frame:
    """A picture's pixels; three bytes each, rows without gaps."""

    def __init__(self, size, pixels):
        self.size, self.pixels = size, pixels

    @classmethod
    def read(cls, path):
        form, size, most, pixels = Path(path).read_bytes().split(b"\n", 3)
        expect((form, most) == (b"P6", b"255"), f"{path} is no PPM of 8 bits a colour")
        return cls(tuple(map(int, size.split())), pixels)

    def row(self, y):
        return self.pixels[3 * y * self.size[0]:3 * (y + 1) * self.size[0]]

    def levels(self):
        """Of every other pixel: enough for a cell's average."""
        wide, high = self.size[0] // CELLS[0], self.size[1] // CELLS[1]
        levels = []
        for top in range(0, self.size[1], high):
            rows = [self.row(y) for y in range(top, top + high, 2)]
            for left in range(0, self.size[0], wide):
                parts = b"".join(row[3 * left:3 * (left + wide)] for row in rows)
                red, green, blue = (sum(parts[i::3]) for i in range(3))
                levels.append((30 * red + 59 * green + 11 * blue) * 3 // (100 * len(parts)))
        return levels


def distance(levels, others):
    return sum(abs(a - b) for a, b in zip(levels, others, strict=True)) / len(levels)


def as_text(levels):
    lines = (levels[i:i + CELLS[0]] for i in range(0, len(levels), CELLS[0]))
    return "".join(" ".join(f"{level:3}" for level in line) + "\n" for line in lines)


def wrong_frames(frame):
    """name -> what a faulty display might have made of it."""
    width, height = frame.size
    rows = [frame.row(y) for y in range(height)]
    black, pixels = bytes(3 * width), bytearray(frame.pixels)
    pixels[0::3], pixels[2::3] = pixels[2::3], pixels[0::3]
    return {"nothing is shown": Frame(frame.size, bytes(3 * width * height)),
            "red and blue are exchanged": Frame(frame.size, bytes(pixels)),
            "it did not move up": Frame(frame.size, b"".join(rows[-96:] + rows[:-96])),
            "a quarter was not drawn": Frame(frame.size, b"".join(
                black if height // 4 <= y < height // 2 else row for y, row in enumerate(rows))),
            "rows are 8 pixels too long": Frame(frame.size, b"".join(
                (row[24 * y % len(row):] + row)[:len(row)] for y, row in enumerate(rows)))}


def shows_card(program, guest, device):
    def case():
        name = f"frame-{device}"
        card, file = WORK / f"{name}.card", WORK / f"{name}.ppm"
        card.write_text(CARD, encoding="ascii")
        file.unlink(missing_ok=True)
        screen = f"{guest.folder}/modules/screen"
        modules = Path(screen).read_text(encoding="ascii").split()
        archive = guest.pack(f"{name}.cpio", {"card": card, "modules/screen": screen, **{
            f"modules/{module}": f"{guest.folder}/modules/{module}" for module in modules}})
        pairs = [("for m in $(cat /modules/order /modules/screen); do insmod /modules/$m; done; "
                  "echo loaded=$?", "loaded=0"),
                 ("sh /card >/dev/tty0; sleep 2; echo drawn=$?", "drawn=0")]
        options = guest.options() + ["-device", f"{device},xres={SIZE[0]},yres={SIZE[1]}",
                                     "-picture", file]
        options[options.index("-initrd") + 1] = archive
        script = WORK / f"{name}.script"
        script.write_text("\n".join([*session(*pairs), "exit"]) + "\n", encoding="ascii")
        run([program, *options, "-script", script], SECONDS).must_end_with(0)
        frame = Frame.read(file)
        expect(frame.size == SIZE, f"the picture has {frame.size} pixels")
        must_be_like(frame, GOLDEN / "console.txt")

    return case


def must_be_like(frame, golden):
    levels, wanted = frame.levels(), [int(word) for word in golden.read_text("ascii").split()]
    seen = WORK / golden.name
    seen.write_text(as_text(levels), encoding="ascii")
    off = distance(levels, wanted)
    expect(off <= LIMIT, f"{off:.1f} from {golden}, {LIMIT} at most; what was seen is in {seen}")
    for fault, wrong in wrong_frames(frame).items():
        off = distance(wrong.levels(), wanted)
        expect(off > 2 * LIMIT, f"when {fault} it is {off:.1f} away only")


def frame_cases(program, guest):
    return [(f"Debian's console on {device} is like its golden frame, and no faulty one is",
             shows_card(program, guest, device))
            for device in ("virtio-gpu-pci", "bochs-display")]
