"""Debian's TigerVNC viewer looks at the VNC server: it and the guest agree on a size that either
wants, it has the guest's cursor, there may be several, and none without the password."""

import subprocess
import time
from contextlib import contextmanager

from cases import Failure, expect
from displays import vnc_port
from drawing import drawing, fresh_folder, on_display
from window import SECONDS

SCREEN = (1000, 800)
RED, GREEN, BLUE = 0xFF0000, 0x00FF00, 0x0000FF
TABLET = ("-device", "virtio-tablet-device")


@contextmanager
def served(program, *words):
    """The guest, and the port of its VNC server."""
    with drawing(program, [*words, "-display", "none"]) as guest:
        port = vnc_port(guest.said)
        guest.wait_for("ready\n", SECONDS)
        yield guest, port


@contextmanager
def viewing(display, port, password=""):
    command = ["xtigervncviewer", "-ReconnectOnError=0", "-AlertOnFatalError=0", "-Shared",
               "-NoJPEG=1", f"127.0.0.1::{port}"]
    environment = {**display.environment, "VNC_PASSWORD": password, "HOME": display.folder}
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as viewer:
        try:
            yield viewer
        finally:
            viewer.kill()


def wait_for_pixel(display, x, y, wanted, what):
    end = time.monotonic() + SECONDS
    while (seen := display.pixel(x, y)) != wanted:
        expect(time.monotonic() < end, f"{what} is {seen:06x}, not {wanted:06x}")
        time.sleep(0.05)


def must_show(display, size, colour):
    """All of the guest's picture in a window of its size."""
    display.wait_for_size(size)
    left, top = display.place()
    for x, wanted in ((10, colour), (size[0] - 10, colour ^ 0xFFFFFF)):
        for y in (10, size[1] - 10):
            wait_for_pixel(display, left + x, top + y, wanted, f"{x}, {y} in the viewer")


@contextmanager
def seen(program, name, *words):
    """A display with a viewer that shows a red screen, and the guest."""
    with on_display(name, SCREEN) as display, \
            served(program, "-vnc", ":0,to=500", *words) as (guest, port):
        guest.show(640, 480, RED)
        with viewing(display, port):
            display.find_window()
            must_show(display, (640, 480), RED)
            yield display, guest


def follows_sizes(program):
    def case():
        with seen(program, "viewer-sizes") as (display, guest):
            guest.show(800, 600, GREEN)
            must_show(display, (800, 600), GREEN)
            guest.show(320, 240, BLUE)
            must_show(display, (320, 240), BLUE)
            guest.type(b"follow\n")
            display.do("windowsize", display.window, 500, 360)
            guest.wait_for("wish 500 360\nsize 500 360\n", SECONDS)
            must_show(display, (500, 360), BLUE)

    return case


def has_cursor(program):
    """The viewer draws it, where its user's pointer is."""

    def case():
        with seen(program, "viewer-cursor", *TABLET) as (display, guest):
            left, top = display.place()
            guest.ask("cursor ff00ff00 8 16", "cursor")
            display.do("mousemove", "--window", display.window, 100, 200)
            for x, y, wanted in ((93, 185, GREEN), (155, 247, GREEN), (90, 200, RED),
                                 (100, 182, RED), (158, 200, RED), (100, 250, RED)):
                wait_for_pixel(display, left + x, top + y, wanted, f"{x}, {y} by the cursor")
            guest.ask("cursor 0 0 0", "cursor")
            wait_for_pixel(display, left + 140, top + 230, RED, "what the cursor covered")

    return case


def serves_two(program):
    """Both see all, both are heard, and one may go."""

    def case():
        with on_display("viewer-first", SCREEN) as first, \
                on_display("viewer-second", SCREEN) as second, \
                served(program, "-vnc", ":0,to=500") as (guest, port):
            guest.show(640, 480, RED)
            with viewing(first, port):
                first.find_window()
                with viewing(second, port):
                    second.find_window()
                    for display in (first, second):
                        must_show(display, (640, 480), RED)
                    guest.show(400, 300, GREEN)
                    for display, key, code in ((first, "a", 30), (second, "b", 48)):
                        must_show(display, (400, 300), GREEN)
                        display.do("key", "--window", display.window, key)
                        guest.wait_for(f"key {code} 1\n", SECONDS)
                guest.show(500, 300, BLUE)
                must_show(first, (500, 300), BLUE)

    return case


def wants_password(program):
    def case():
        secret = ("-object", "secret,id=word,data=sesame",
                  "-vnc", "127.0.0.1:0,to=500,password-secret=word")
        with on_display("viewer-password", SCREEN) as display, \
                served(program, *secret) as (guest, port):
            guest.show(640, 480, RED)
            with viewing(display, port, "Sesame") as viewer:
                try:
                    said = viewer.communicate(timeout=SECONDS)[0]
                except subprocess.TimeoutExpired:
                    raise Failure("a viewer with a wrong password does not end") from None
                expect("uthentication fail" in said, f"a wrong password: {said}")
            with viewing(display, port, "sesame"):
                display.find_window()
                must_show(display, (640, 480), RED)

    return case


def pastes(program):
    """The viewer's clipboard is all of Unicode: what the keyboard has is typed, the rest named."""

    def case():
        with seen(program, "viewer-paste") as (display, guest):
            display.copy("\N{EURO SIGN}\N{LATIN SMALL LETTER E WITH ACUTE}x")
            end = time.monotonic() + SECONDS
            said = "none in the clipboard"
            while "none in the clipboard" in said:  # the viewer has not sent it yet
                expect(time.monotonic() < end, "the viewer's clipboard never comes")
                display.do("key", "ctrl+alt+v")
                guest.said.wait_for("rivulet: ", SECONDS)
                said = guest.said.rest_of_line()
            expect(said == "2 of 3 characters are on no key of a US keyboard, first "
                           "'\N{EURO SIGN}' U+20AC: left out", said)
            guest.wait_for("key 45 1\n", SECONDS)

    return case


def viewer_cases(program):
    return [("a VNC viewer takes the guest's sizes, and the guest the viewer's",
             follows_sizes(program)),
            ("a VNC viewer has the guest's cursor", has_cursor(program)),
            ("two VNC viewers see the same, both are heard, and one may go", serves_two(program)),
            ("a VNC viewer with a wrong password is refused", wants_password(program)),
            ("a VNC viewer's clipboard is typed, whatever it has", pastes(program))]
