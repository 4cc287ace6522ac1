"""Debian 13's objdump (binutils 2.44) as an oracle of instructions' text."""
from operands import is_jump, is_same_csr, normal, number

# What its assembler is told to know, so that objdump takes it for known: our extensions.
EXTENSIONS = ("rv64gc", "zicsr", "zifencei", "zba", "zbb", "zbc", "zbs", "zbkb", "zbkc", "zbkx",
              "zknd", "zkne", "zknh", "zkr", "zksed", "zksh", "zicbom", "zicbop", "zicboz",
              "zihintpause", "zawrs", "svinval", "zfh", "zicond", "zfa", "zihintntl", "zcb",
              "zacas", "zabha", "zimop", "zcmop")
# Its rows demand what the manual has ignored: reserved fields of fences, and the rounding mode of
# what is exact.
STRICT = ("fence", "fence_i", "fcvt_d_s", "fcvt_d_w", "fcvt_d_wu", "fcvt_d_h", "fcvt_s_h")
# What we have not: the N extension, which is no more, and Svinval of hypervisors.
THEIRS = ("uret", "hinval.vvma", "hinval.gvma")
RESERVED = ("addi", ["sp", "sp", 0])  # c.addi16sp of 0


class Objdump:
    name = "objdump"

    def __init__(self, tree, work):
        self.tree, self.work = tree, work

    def texts(self, words):
        """Its text of each word; the first is at address 0, each other behind the one before."""
        source, image = self.work / "words.s", self.work / "words.o"
        with open(source, "w", encoding="ascii") as out:
            out.write(".option norelax\n.text\n_start:\n")
            out.writelines(f".insn {len(word) // 2}, 0x{word}\n" for word in words)
        self.run("as", f"-march={'_'.join(EXTENSIONS)}", "-o", image, source)
        lines = [line.split("\t") for line in self.run("objdump", "-d", "-z", image)]
        return [" ".join(line[2:]) for line in lines if len(line) > 2]

    def run(self, tool, *arguments):
        return self.tree.run(self.tree.usr / f"bin/riscv64-linux-gnu-{tool}", *arguments)

    @staticmethod
    def normal(text, _address):
        found = None if text.endswith(",unknown") else normal(text)
        if found and is_jump(found[0]):
            target = text.partition(" <")[0].split(",")[-1].split(" ")[-1]
            found[1][-1] = number("0x" + target)
        return found

    @staticmethod
    def excuses(ours, theirs, word, row):
        if not theirs:
            return row in STRICT
        if not ours:
            return theirs[0] in THEIRS or theirs == RESERVED
        # Hints that write zero, and moves of a register to itself: it writes what was encoded.
        if row == "c_addi" and (theirs[0] == "nop" or ours[0] == "mv"):
            return theirs[1] in (ours[1][1:], [*ours[1], 0])
        return is_same_csr(ours, theirs, word) or (word, theirs) == ("4001", ("li", ["zero", 0]))

    @staticmethod
    def must_know(rows):
        """Each of our rows."""
        return rows
