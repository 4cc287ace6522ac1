"""The window, on an X server and a window manager of the tests' own, driven by xdotool as a user
would: keys, pointer, sizes, a picture, its end. The guest is the program's own, which tells what
comes in."""

import os
import re
import shutil
import struct
import subprocess
import time
from contextlib import contextmanager

from cases import ROOT, WORK, Failure, expect, run, tail
from debian import Console

SCREEN = (1400, 1050)
PICTURE = (1024, 768)
PLACES = 32768  # a tablet's, from end to end
SECONDS = 120


MANAGER = '<?xml version="1.0"?>\n<JWM><Key mask="A" key="F4">close</Key></JWM>\n'


def run_quietly(command, environment):
    try:
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure(f"no end within {SECONDS} s: {command}") from None


class Display:
    """An X server with a window manager, and what its user does."""

    def __init__(self, folder, screen):
        ours, theirs = os.pipe()
        size = f"{screen[0]}x{screen[1]}x24"
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(theirs), "-screen", "0", size, "-nolisten", "tcp",
             "-fbdir", folder],
            pass_fds=(theirs,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs)
        with open(ours, encoding="ascii") as told:
            self.name = ":" + told.readline().strip()
        expect(self.name != ":", "Xvfb does not start")
        self.environment = {**os.environ, "DISPLAY": self.name, "SDL_AUDIODRIVER": "dummy"}
        for unwanted in ("WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
            self.environment.pop(unwanted, None)
        self.window, self.folder, self.picture = None, folder, folder / "Xvfb_screen0"
        (folder / "jwmrc").write_text(MANAGER, encoding="ascii")
        self.manager = subprocess.Popen(["jwm", "-f", folder / "jwmrc"], env=self.environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def do(self, *words):
        ended = run_quietly(["xdotool", *map(str, words)], self.environment)
        expect(ended.returncode == 0, f"xdotool {words}: {ended.stderr}")
        return ended.stdout

    def copy(self, text):
        """Into the clipboard, of which xclip is the owner until the display ends."""
        subprocess.run(["xclip", "-selection", "clipboard"], input=text.encode(), check=True,
                       env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def find_window(self, title="^Rivulet"):
        """Windows come and go while the manager frames them, so that a search may fail."""
        end = time.monotonic() + SECONDS
        search = ["xdotool", "search", "--onlyvisible", "--name", title]
        while not (found := run_quietly(search, self.environment).stdout.split()):
            expect(time.monotonic() < end, "there is no window")
            time.sleep(0.1)
        self.window = found[0]
        self.do("windowactivate", "--sync", self.window)

    def pixel(self, x, y):
        """What the display shows there, as 0xRRGGBB; of Xvfb's file, which is one of xwd's."""
        with open(self.picture, "rb") as file:
            fields = struct.unpack(">25I", file.read(100))
            header, bits, row, colours = fields[0], fields[11], fields[12], fields[19]
            expect(bits == 32, f"{bits} bits a pixel")
            file.seek(header + 12 * colours + y * row + 4 * x)
            return int.from_bytes(file.read(4), "little") & 0xFFFFFF

    def told(self, names, *words):
        lines = dict(line.split("=") for line in self.do(*words).splitlines())
        return tuple(int(lines[name]) for name in names)

    def place(self):
        """Where the window's content begins; it is asked for by the pointer, which is moved, because
        what is told of the window may be the manager's frame."""
        middle = [side // 2 for side in self.size()]
        at = self.told(("X", "Y"), "mousemove", "--window", self.window, *middle,
                       "getmouselocation", "--shell")
        return at[0] - middle[0], at[1] - middle[1]

    def size(self):
        return self.told(("WIDTH", "HEIGHT"), "getwindowgeometry", "--shell", self.window)

    def wait_for_size(self, wanted):
        end = time.monotonic() + SECONDS
        while self.size() != wanted:
            expect(time.monotonic() < end, f"the window is {self.size()}, not {wanted}")
            time.sleep(0.1)

    def end(self):
        for process in (self.manager, self.server):
            process.kill()
            process.wait()


class Program(Console):
    """Rivulet with its guest: the guest's console, and what Rivulet says to its user. They are two
    streams, because in one a line of the program may come amid a line of the guest."""

    def __init__(self, process):
        super().__init__(process.stdout)
        self.process = process
        self.said = Console(process.stderr) if process.stderr else self

    def type(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def wait_for_place(self, x, y):
        """Waits until the pointer is there, in parts of the picture; two pixels more or less."""
        end = time.monotonic() + SECONDS
        while True:
            self.wait_for("pointer ", max(1, end - time.monotonic()))
            line = self.text[self.seen:].partition("\n")
            if not line[1]:
                self.wait_for("\n", SECONDS)
                line = self.text[:self.seen].rsplit("pointer ", 1)[1].partition("\n")
            at = [int(word) / PLACES for word in line[0].split()]
            if abs(at[0] - x) * PICTURE[0] < 3 and abs(at[1] - y) * PICTURE[1] < 3:
                return

    def must_end_with(self, status):
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure("the program does not end") from None
        expect(self.process.returncode == status,
               f"status {self.process.returncode}, not {status}\n{self.text[-400:]}")


@contextmanager
def started(command, kind=Program, stderr=subprocess.PIPE, **options):
    """A Program of this kind, which ends with the body. options: of subprocess.Popen."""
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=stderr, **options) as process:
        console = kind(process)
        try:
            yield console
        except Failure as failure:
            process.kill()
            rest = (process.stderr or process.stdout).read().decode(errors="replace")
            raise Failure(f"{failure}\n{tail(console.said.text + rest)}") from None
        finally:
            process.kill()


@contextmanager
def shown(program, name, screen=SCREEN):
    """The program with its window, and the display that it is on."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    display = Display(folder, screen)
    guest = folder / "demo.elf"
    run([ROOT / "tools/make-demo-guest", "--elf", guest]).must_end_with(0)
    command = [program, "-display", "sdl", "-device", "ramfb", "-device", "virtio-keyboard-device",
               "-device", "virtio-tablet-device", "-kernel", guest, "-append", "tell"]
    try:
        with started(command, cwd=folder, env=display.environment) as console:
            display.find_window()
            yield display, console, folder
    finally:
        display.end()


def hears(program):
    """Keys, the pointer and its button come to the guest, and q ends it."""

    def case():
        with shown(program, "window-input") as (display, console, _):
            display.wait_for_size(PICTURE)
            display.do("mousemove", "--window", display.window, 256, 192)
            console.wait_for_place(0.25, 0.25)
            display.do("click", 1)
            console.wait_for("button\n", SECONDS)
            for key in "az7":
                display.do("key", key)
                console.wait_for(f"key {key}\n", SECONDS)
            display.do("key", "q")
            console.must_end_with(0)

    return case


def resizes(program):
    """In every size the pointer is where the user sees it."""

    def case():
        with shown(program, "window-sizes") as (display, console, _):
            display.wait_for_size(PICTURE)
            display.do("windowsize", display.window, 640, 480)
            display.wait_for_size((640, 480))
            display.do("mousemove", "--window", display.window, 320, 120)
            console.wait_for_place(0.5, 0.25)
            display.do("key", "ctrl+alt+f")
            display.wait_for_size(SCREEN)
            display.do("mousemove", SCREEN[0] // 4, SCREEN[1] // 2)
            console.wait_for_place(0.25, 0.5)
            display.do("key", "ctrl+alt+f")
            display.wait_for_size((640, 480))
            display.do("key", "ctrl+alt+u")
            display.wait_for_size(PICTURE)

    return case


def fits_small_display(program):
    """A picture that is larger than the display is all there in full screen."""

    def case():
        screen = (320, 240)
        with shown(program, "window-small", screen) as (display, console, _):
            display.do("key", "ctrl+alt+f")
            display.wait_for_size(screen)
            display.do("mousemove", 240, 60)
            console.wait_for_place(0.75, 0.25)
            display.do("key", "q")
            console.must_end_with(0)

    return case


def pastes(program):
    """The clipboard's text is typed, what has no key is named, and another key ends it."""

    def case():
        with shown(program, "window-paste") as (display, console, _):
            display.copy("az7 \N{EURO SIGN}b")
            display.do("key", "ctrl+alt+v")
            console.said.wait_for("1 of 6 characters are on no key of a US keyboard, first "
                                  "'\N{EURO SIGN}' U+20AC: left out\n", SECONDS)
            for key in "az7 b":
                console.wait_for(f"key {key}\n", SECONDS)
            display.copy("z" * 5000)
            display.do("key", "ctrl+alt+v")
            console.wait_for("key z\n", SECONDS)
            display.do("key", "a")
            console.said.wait_for("typing is stopped after", SECONDS)
            console.wait_for("key a\n", SECONDS)
            expect("key z" not in console.text[console.seen:], "it types on")
            display.do("key", "q")
            console.must_end_with(0)

    return case


def survives_display(program):
    """When the X server ends the guest goes on, and its console and the monitor are there."""

    def case():
        with shown(program, "window-lost") as (display, console, _):
            display.server.kill()
            console.said.wait_for("the window's display is lost; the guest goes on without a "
                                  "window\n", SECONDS)
            console.type(b"\x01c")
            console.wait_for("(rivulet) ", SECONDS)
            console.type(b"info status\n")
            console.wait_for("VM status: running", SECONDS)
            console.wait_for("(rivulet) ", SECONDS)
            console.type(b"\x01ca")
            console.wait_for("key a\n", SECONDS)
            console.type(b"\x01cquit\n")
            console.must_end_with(0)

    return case


def saves_picture(program):
    """Its hot key writes a PNG of what the guest shows."""

    def case():
        with shown(program, "window-picture") as (display, console, folder):
            display.do("key", "ctrl+alt+s")
            console.said.wait_for("the screen is in rivulet-", SECONDS)
            head = next(folder.glob("rivulet-*.png")).read_bytes()[:24]
            expect(head[:8] == b"\x89PNG\r\n\x1a\n", "what was written is no PNG")
            expect(struct.unpack(">II", head[16:]) == PICTURE, "the picture has another size")

    return case


def closes(program):
    """Who closes it asks the guest to power off, which the demo does at once."""

    def case():
        with shown(program, "window-close") as (display, console, _):
            display.do("key", "alt+F4")
            console.wait_for("power\n", SECONDS)
            console.must_end_with(0)

    return case


def needs_display(program):
    """Without a display -display sdl is an error of one line; and so is one that is not there."""

    def case():
        for name in (None, "", ":9999"):
            environment = {key: value for key, value in os.environ.items()
                           if key not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
            if name is not None:
                environment["DISPLAY"] = name
            ended = run_quietly([program, "-display", "sdl"], environment)
            lines = ended.stderr.splitlines()
            expect(ended.returncode == 1 and len(lines) == 1 and
                   re.match("rivulet: .*window", lines[0]),
                   f"DISPLAY={name}: status {ended.returncode}, {lines}")

    return case


def window_cases(program):
    return [("in the window keys, pointer and button come to the guest", hears(program)),
            ("the window keeps its guest in all sizes and full screen", resizes(program)),
            ("on a display smaller than the picture the window shows all of it",
             fits_small_display(program)),
            ("what is pasted into the window is typed", pastes(program)),
            ("a window whose display is lost leaves the guest running", survives_display(program)),
            ("the window's hot key saves a picture", saves_picture(program)),
            ("closing the window powers the guest off", closes(program)),
            ("a window without a display is an error of one line", needs_display(program))]
