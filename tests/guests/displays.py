"""Displays beside the virtio GPU, drawn on by U-Boot and EDK2 and looked at by a VNC viewer of
Debian's (gvnccapture) and by one that only asks for pictures."""

import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import zlib
from contextlib import contextmanager
from pathlib import Path

from bootable import firmware_folder
from cases import Failure, expect, run
from debian import STEP_SECONDS, Console

U_BOOT = "u-boot/qemu-riscv64_smode/u-boot.bin"
CODE, VARIABLES = (f"qemu-efi-riscv64/RISCV_VIRT_{part}.fd" for part in ("CODE", "VARS"))


def unfilter(kind, row, above, step):
    """PNG's filters (ISO/IEC 15948, 9.2), in place."""
    for i, byte in enumerate(row):
        left = row[i - step] if i >= step else 0
        up = above[i]
        corner = above[i - step] if i >= step else 0
        if kind == 4:
            guess = left + up - corner
            near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up),
                       (abs(guess - corner), 2, corner))[2]
        else:
            near = (0, left, up, (left + up) // 2)[kind]
        row[i] = (byte + near) & 0xFF


def png_pixels(path):
    """Width, height and the red, green and blue of all pixels of a PNG of 8 bits a colour."""
    data, packed, at = Path(path).read_bytes(), b"", 8
    expect(data[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is no PNG")
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name == b"IHDR":
            width, height, bits, colours, *rest = struct.unpack_from(">IIBBBBB", data, at + 8)
            expect(bits == 8 and colours in (2, 6) and rest[2] == 0, f"{path}: another kind of PNG")
        elif name == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    raw, step = zlib.decompress(packed), 3 if colours == 2 else 4
    above, rows = bytearray(width * step), []
    for y in range(height):
        start = y * (width * step + 1)
        row = bytearray(raw[start + 1:start + 1 + width * step])
        if raw[start]:
            unfilter(raw[start], row, above, step)
        above = row
        rows.append(b"".join(bytes(row[x:x + 3]) for x in range(0, len(row), step))
                    if step == 4 else bytes(row))
    return width, height, b"".join(rows)


def vnc_port(console):
    """Of the VNC server that a program has, which it tells when it begins."""
    console.wait_for("VNC server at 127.0.0.1:", STEP_SECONDS)
    return int(console.rest_of_line())


@contextmanager
def shown(program, folder, words, said):
    """A machine with a VNC server, after it has said something: its process, monitor and port."""
    serial = Path(folder) / "serial"
    command = [program, "-m", "512", *words, "-vnc", ":0,to=500", "-monitor", "stdio",
               "-serial", f"file:{serial}"]
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            port = vnc_port(Console(process.stderr))
            end = time.monotonic() + STEP_SECONDS
            while said not in (serial.read_text(errors="replace") if serial.exists() else ""):
                expect(time.monotonic() < end and process.poll() is None, f"{said!r} never came")
                time.sleep(0.1)
            yield process, Console(process.stdout), port
        finally:
            process.kill()


def capture_is_the_screendump(program, words, said):
    def case():
        with tempfile.TemporaryDirectory() as folder, \
                shown(program, folder, words(folder), said) as (process, monitor, port):
            dump, capture = Path(folder) / "dump.png", Path(folder) / "capture.png"
            process.stdin.write(f"stop\nscreendump {dump}\n".encode())
            process.stdin.flush()
            for _ in range(3):
                monitor.wait_for("(rivulet) ", STEP_SECONDS)
            run(["gvnccapture", "-q", f"127.0.0.1:{port - 5900}", capture]).must_end_with(0)
            ours, its = png_pixels(dump), png_pixels(capture)
            expect(len(set(zip(*[iter(ours[2])] * 3))) > 2, "the screen is empty")
            expect(ours[:2] == its[:2], f"the capture has {its[:2]} pixels, the screen {ours[:2]}")
            wrong = sum(a != b for a, b in zip(ours[2], its[2]))
            expect(wrong == 0, f"{wrong} bytes of the capture differ from the screendump")

    return case


def look_on(port, stop, seen):
    """A viewer that asks for updates as fast as it gets them, and counts their bytes."""
    with socket.create_connection(("127.0.0.1", port), STEP_SECONDS) as peer:
        peer.sendall(b"RFB 003.008\n\x01\x01")
        while not stop.is_set():
            try:
                peer.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, 2000, 2000))
                seen.append(len(peer.recv(1 << 20)))
            except OSError:
                return


def watched_state(program, words):
    """The state hash of a run that a viewer watches."""
    command = [str(word) for word in [program, *words, "-vnc", ":0,to=500"]]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        errors, stop, seen = Console(process.stderr), threading.Event(), []
        port = vnc_port(errors)
        viewer = threading.Thread(target=look_on, args=(port, stop, seen))
        viewer.start()
        try:
            errors.wait_for("state hash: ", STEP_SECONDS)
            errors.wait_for(" ", STEP_SECONDS)
        finally:
            stop.set()
            process.kill()
            viewer.join()
        expect(sum(seen) > 100000, f"the viewer saw {sum(seen)} bytes")
        return re.findall(r"state hash: *(\w+)", errors.text)[0]


def looking_changes_nothing(program, device, kernel):
    def case():
        words = ["-m", "256", "-device", device, "-kernel", kernel, "-icount", "shift=1,sleep=off",
                 "-until", "1200ms", "-hash", "-serial", "null", "-monitor", "none"]
        plain = run([program, *words, "-display", "none"]).state_hash()
        loaded = run([program, *words, "-display", "none", "-save-load", "900ms"]).state_hash()
        expect(plain == loaded, f"saved and loaded: {loaded}, without: {plain}")
        watched = watched_state(program, words)
        expect(plain == watched, f"watched: {watched}, without: {plain}")

    return case


def display_cases(program):
    firmware = Path(firmware_folder())
    if not shutil.which("gvnccapture"):
        raise Failure("gvnccapture is missing: tools/install-deps check")

    def u_boot(device):
        return lambda folder: ["-device", device, "-kernel", firmware / U_BOOT]

    def edk2(folder):
        variables = Path(folder) / "variables.fd"
        shutil.copy(firmware / VARIABLES, variables)
        return ["-device", "ramfb",
                "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={firmware / CODE}",
                "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]

    cases = [(f"U-Boot's console on {device}: a VNC viewer captures what screendump writes",
              capture_is_the_screendump(program, u_boot(device), "=> "))
             for device in ("simple-framebuffer", "bochs-display")]
    cases.append(("EDK2's shell on ramfb: a VNC viewer captures what screendump writes",
                  capture_is_the_screendump(program, edk2, "to skip")))
    cases += [(f"{device}: save and load, and a VNC viewer, do not show in the state",
               looking_changes_nothing(program, device, firmware / U_BOOT))
              for device in ("simple-framebuffer,format=r5g6b5", "bochs-display")]
    return cases
