"""Debian 13's capstone (5.0) as an oracle of instructions' text: of RV64IMAFDC."""
import re
import subprocess
from pathlib import Path

from operands import is_jump, is_same_csr, normal

HERE = Path(__file__).resolve().parent
ISA = HERE.parent.parent / "cpu/isa"
# Files of rows that it must know all, but those of Zfh.
KNOWN = ("i", "m", "f", "d", "fmem")
NEWER = ("flh", "fsh")
# It takes these for illegal, while the manual has them as hints, ...
HINTS = ("c_slli", "c_addi", "c_li", "c_lui", "c_mv", "c_add")
# ... and its rows demand what the manual has ignored, as objdump's do.
STRICT = ("fence", "fence_i", "fcvt_d_s", "fcvt_d_w", "fcvt_d_wu")
# Instructions that have got a name since, and what they were before.
BEFORE = {"prefetch": "ori", "ntl": "add", "pause": "fence", "c_mop": "lui"}
# A slip in its table of CSRs.
SWAPPED_CSRS = {"pmpaddr13": "pmpaddr14", "pmpaddr14": "pmpaddr13"}


def before(row):
    """What the row's instructions were before; None: it is no new name."""
    return BEFORE.get(re.sub(r"_[^_]*$", "", row))


def writes_nothing(ours):
    return ours[0] == "nop" or ours[1][0] == "zero"


def jump(destination, base, offset):
    """jalr in LLVM's syntax, as the manual's."""
    operands = [offset, base] if offset else [base]
    if destination in ("zero", "ra"):
        return "jr" if destination == "zero" else "jalr", operands
    return "jalr", [destination, *operands]


class Capstone:
    name = "capstone"

    def __init__(self, tree, work):
        self.tree, self.program = tree, work / "capstone_lines"
        subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-I", tree.usr / "include", "-o",
                        self.program, HERE / "capstone_lines.c", f"-L{tree.libraries}",
                        "-lcapstone", "-Wl,--allow-shlib-undefined"], check=True)

    def texts(self, words):
        """Its text of each word."""
        return self.tree.run(self.program, text="\n".join(words) + "\n")

    @staticmethod
    def normal(text, address):
        found = normal(text)
        if not found:
            return None
        name, operands = found
        if is_jump(name):  # it writes the distance
            operands[-1] = (operands[-1] + address) % (1 << 64)
        elif name == "jalr" and len(operands) == 3:
            return jump(*operands)
        elif name == "addi" and operands[1] == "zero":
            return "li", [operands[0], operands[2]]
        elif name == "andi" and operands[2] == 255:
            return "zext.b", operands[:2]
        return name, operands

    @staticmethod
    def excuses(ours, theirs, word, row):
        if not ours: # of the N extension, which is no more; and c.lui of 0, reserved
            return theirs == ("uret", []) or (theirs[0] == "lui" and theirs[1][1] == 0)
        if not theirs:
            return row in STRICT or (row in HINTS and writes_nothing(ours))
        if before(row) == theirs[0]:
            return True
        if row == "c_addi" and theirs == ("nop", []):
            return ours[0] == "li" and ours[1][0] == "zero"
        swapped = [SWAPPED_CSRS.get(operand, operand) for operand in theirs[1]]
        return is_same_csr(ours, (theirs[0], swapped), word)

    @staticmethod
    def must_know(_rows):
        text = "".join((ISA / f"{name}.def").read_text(encoding="utf-8") for name in KNOWN)
        rows = re.findall(r"^[A-Z]+\((\w+),", text, re.MULTILINE)
        return [row for row in rows if before(row) is None and row not in NEWER]
