"""What a user's pointer does in the window, as the guest's tablet and mouse tell it (tests/screen)."""

from contextlib import contextmanager

from cases import expect
from drawing import drawing, on_display
from viewer import wait_for_pixel
from window import SECONDS

SCREEN = (1100, 900)
SIZE = (400, 300)
RED = 0xFF0000
LAST = 32767  # of a tablet's places
REL, ABS = "rel", "abs"
REL_WHEEL = 8
BUTTONS = {1: 272, 2: 274, 3: 273}  # X's numbers, evdev's


@contextmanager
def window(program, name, device):
    with on_display(name, SCREEN) as display, \
            drawing(program, ["-device", device, "-display", "sdl"], display.environment) as guest:
        guest.wait_for("ready\n", SECONDS)
        guest.show(*SIZE, RED)
        display.find_window()
        display.wait_for_size(SIZE)
        yield display, guest


def must_point(display, guest, place, scale):
    """Each of some places of the picture, which lies at this place in the window, is told within a
    pixel."""
    for wanted in ((0, 0), (399, 299), (1, 298), (200, 150), (77, 33), (398, 1)):
        # Its middle: the corners of larger pixels belong to its neighbours.
        at = [int(place[i] + (wanted[i] + 0.5) * scale) for i in range(2)]
        display.do("mousemove", "--window", display.window, *at)
        while True:
            told = [guest.wait_for_event(ABS, axis) * (SIZE[axis] - 1) / LAST for axis in range(2)]
            # The moves before are told too.
            if all(abs(told[i] - wanted[i]) <= 1 for i in range(2)):
                break


def must_fill(display, place, scale):
    """The picture is there and no larger."""
    left, top = display.place()
    x, y = (left + place[i] for i in range(2))
    wait_for_pixel(display, x + 2, y + 2, RED, "the picture's corner")
    width, height = (side * scale for side in SIZE)
    cyan = RED ^ 0xFFFFFF
    wait_for_pixel(display, int(x + width - 3), int(y + height - 3), cyan, "its other corner")
    wait_for_pixel(display, int(x + width * 0.49), int(y + height / 2), RED, "its left half")
    wait_for_pixel(display, int(x + width * 0.51), int(y + height / 2), cyan, "its right half")
    if place[1]:
        wait_for_pixel(display, x, y - 3, 0, "what is above the picture")


def points(program):
    def case():
        with window(program, "pointer-places", "virtio-tablet-device") as (display, guest):
            must_point(display, guest, (0, 0), 1)
            display.do("windowsize", display.window, 1000, 800)
            display.wait_for_size((1000, 800))
            for place, scale in (((0, 25), 2.5), ((0, 25), 2.5), ((100, 100), 2)):
                must_fill(display, place, scale)
                must_point(display, guest, place, scale)
                display.do("key", "ctrl+alt+i")

    return case


def clicks(program):
    def case():
        with window(program, "pointer-buttons", "virtio-tablet-device") as (display, guest):
            display.do("mousemove", "--window", display.window, 100, 100)
            for button, code in BUTTONS.items():
                display.do("click", button)
                guest.wait_for(f"key {code} 1\nkey {code} 0\n", SECONDS)
            for button, steps in ((4, 1), (5, -1), (4, 1)):
                display.do("click", button)
                expect(guest.wait_for_event(REL, REL_WHEEL) == steps, "the wheel's other way")

    return case


def grabs(program):
    """A mouse that moves by steps has the pointer when its user clicks, until Ctrl-Alt-g."""

    def case():
        with window(program, "pointer-grab", "virtio-mouse-device") as (display, guest):
            display.do("mousemove", "--window", display.window, 100, 100)
            display.do("key", "a")
            guest.wait_for("key 30 0\n", SECONDS)
            expect("rel " not in guest.text, "the pointer is told before it is grabbed")
            display.do("click", 1)
            for step in ((30, 0), (0, 20), (-45, 0), (0, -7)):
                display.do("mousemove_relative", "--sync", "--", *step)
                axis = 0 if step[0] else 1
                gone = 0
                while gone != step[axis]:
                    gone += guest.wait_for_event(REL, axis)
            display.do("click", 3)
            guest.wait_for("key 273 1\n", SECONDS)
            display.do("key", "ctrl+alt+g")
            start = guest.seen
            display.do("mousemove_relative", "--", 9, 9)
            display.do("key", "b")
            guest.wait_for("key 48 0\n", SECONDS)
            expect("rel " not in guest.text[start:], "the pointer is told after it was released")

    return case


def pointer_cases(program):
    return [("in the window a tablet's pointer is where its user's is, in all scalings",
             points(program)),
            ("in the window buttons and wheel come to the guest", clicks(program)),
            ("in the window a mouse has the pointer from a click to its release", grabs(program))]
