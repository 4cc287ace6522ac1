"""The desktop of `./demo desktop`, seen by its pictures and ended by the power key. Fonts, games and
Debian's themes change; so the picture is judged by what the recipe itself says: colours."""

import socket
import time
from contextlib import closing

from cases import WORK, expect
from disk import BOOT_SECONDS, LOGIN, DebianDisk, running, tool
from network import free_port

SIZE = (1024, 768)
# tools/desktop/tree/home/demo/.jwmrc: the background is a gradient between these.
TOP, BOTTOM = (0x0b, 0x2a, 0x3f), (0x3c, 0x93, 0xa6)
TRAY_HEIGHT = 30
SETTLE_SECONDS = 10


class Screen:
    """Pictures of the display, by the monitor."""

    def __init__(self, path):
        end = time.monotonic() + 60
        while not path.exists():
            expect(time.monotonic() < end, f"no {path}")
            time.sleep(0.1)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(60)

    def close(self):
        self.socket.close()

    def ask(self, command):
        self.socket.sendall(f"{command}\n".encode())
        time.sleep(1)
        return self.socket.recv(65536)

    def picture(self):
        """Size, and a function that gives a pixel's colour."""
        file = WORK / "desktop.ppm"
        file.unlink(missing_ok=True)
        self.ask(f"screendump {file}")
        if not file.exists():
            return (0, 0), None
        _, size, _, pixels = file.read_bytes().split(b"\n", 3)
        width, height = map(int, size.split())
        return (width, height), lambda x, y: pixels[3 * (y * width + x):][:3]


def is_near(seen, wanted):
    return all(abs(a - b) < 24 for a, b in zip(seen, wanted))


def is_desktop(picture):
    """The background at its upper edge's end and above the tray, and windows of many colours."""
    size, pixel = picture
    if size != SIZE or not is_near(pixel(size[0] - 2, size[1] - TRAY_HEIGHT - 4), BOTTOM):
        return False
    lines = [pixel(x, y) for x in range(0, size[0], 8) for y in range(0, size[1], 8)]
    return is_near(pixel(size[0] - 2, 2), TOP) and len(set(lines)) > 100


def shows_desktop(program):
    def case():
        folder = tool("make-debian-desktop")
        debian = DebianDisk(program, "debian-desktop", f"{folder}/disk.qcow2")
        path = WORK / "desktop.monitor"
        path.unlink(missing_ok=True)
        command = debian.rivulet(free_port()) + [
            "-device", f"virtio-gpu-pci,xres={SIZE[0]},yres={SIZE[1]}", "-device",
            "virtio-keyboard-pci", "-device", "virtio-tablet-pci", "-display", "none",
            "-monitor", f"unix:{path},server=on,wait=off"]
        with running(command) as console, closing(Screen(path)) as screen:
            console.wait_for(LOGIN, BOOT_SECONDS)
            end = time.monotonic() + BOOT_SECONDS
            while not is_desktop(screen.picture()):
                expect(time.monotonic() < end, f"no desktop: see {WORK}/desktop.ppm")
                time.sleep(SETTLE_SECONDS)
            screen.ask("sendkey power")

    return case


def desktop_cases(program):
    return [("Debian's desktop is shown, and the power key ends it", shows_desktop(program))]
