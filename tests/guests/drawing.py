"""The guest of tests/screen in Rivulet: it draws as it is told, and tells what its devices say."""

import shutil
from contextlib import contextmanager

from cases import ROOT, WORK, run
from window import SECONDS, Display, Program, started
from writing import made_once


@made_once
def guest():
    path = WORK / "screen.elf"
    WORK.mkdir(parents=True, exist_ok=True)
    run([ROOT / "tests/screen/make", path]).must_end_with(0)
    return path


def fresh_folder(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Drawing(Program):
    """The guest; what it tells is looked for behind what was found last."""

    def ask(self, command, answer=None):
        self.type(command.encode() + b"\n")
        self.wait_for(f"{answer or command}\n", SECONDS)

    def show(self, width, height, colour):
        self.ask(f"size {width} {height} {colour:06x}", f"size {width} {height}")

    def wait_for_event(self, kind, code):
        """The value of the next one of this kind."""
        self.wait_for(f"{kind} {code} ", SECONDS)
        return int(self.rest_of_line())


@contextmanager
def drawing(program, words, environment=None):
    """The guest, ready, on a virtio GPU with a keyboard and these words."""
    command = [program, "-m", "128", "-bios", "none", "-kernel", guest(), "-global",
               "virtio-mmio.force-legacy=false", "-device", "virtio-gpu-device",
               "-device", "virtio-keyboard-device", *words, "-serial", "stdio", "-monitor", "none"]
    with started(command, Drawing, env=environment) as console:
        yield console


@contextmanager
def on_display(name, screen):
    """An X server and its window manager."""
    display = Display(fresh_folder(name), screen)
    try:
        yield display
    finally:
        display.end()
