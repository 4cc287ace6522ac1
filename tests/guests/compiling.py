"""Programs for riscv64 with nothing below them."""

import os
import subprocess

from cases import ROOT

FLAGS = ("-march=rv64gc -mabi=lp64d -mcmodel=medany -O2 -ffreestanding -fno-pic -no-pie "
         "-fno-stack-protector -fno-tree-loop-distribute-patterns -nostdlib -static -Wall -Wextra "
         "-Werror -Wl,--build-id=none,--no-warn-rwx-segments").split()


def compile_bare(source, program, *more):
    """The program made of a source of the repository, as a path; more: flags."""
    program.parent.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("CROSS_PREFIX", "riscv64-linux-gnu-") + "gcc"
    subprocess.run([compiler, *FLAGS, *more, ROOT / source, "-o", program], check=True)
    return program
