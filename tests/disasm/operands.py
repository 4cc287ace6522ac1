"""Instructions as text, made comparable: a name, and operands with numbers as numbers."""
import re

TWO_OPERANDS = re.compile(r"c\.(addi?w?|subw?|s[lr][la]i|andi?|x?or|mul)$")


def number(text):
    """A number in any base, modulo 2^64; else the text itself."""
    try:
        return int(text, 0) % (1 << 64)
    except ValueError:
        return text


def is_jump(name):
    return re.fullmatch(r"b(eq|ne|lt|ge|gt|le)(u|z)?|j|jal", name) is not None


def expanded(name, operands):
    """A compressed instruction as what it is short for, as ours is written."""
    if TWO_OPERANDS.match(name):
        operands = [operands[0], *operands]
    elif name == "c.addi16sp":
        operands = ["sp", *operands]
    elif re.match(r"c\.s[lr][la]i64$", name):
        operands = [operands[0], operands[0], 0]
    base = re.sub(r"(?<=[lrwdia])(16sp|4spn|sp|64)$", "", name[2:])
    if base in ("addi", "addiw") and operands[-1] == 0:
        return {"addi": "mv", "addiw": "sext.w"}[base], operands[:-1]
    return ("ret", []) if (base, operands) == ("jr", ["ra"]) else (base, operands)


def normal(text):
    """(name, operands), or None: no instruction."""
    text = re.sub(r"\s*(<[^>]*>|#.*)", "", text).strip()
    if not text or text.startswith((".", "unimp", "c.unimp")):
        return None
    name, _, rest = text.partition(" ")
    operands = [number(operand) for operand in re.split(r"[,\s()]+", rest) if operand]
    if name == "fence":
        operands = [0 if operand == "unknown" else operand for operand in operands]
    if name.startswith("c.") and not name.startswith("c.mop."):
        return expanded(name, operands)
    return name, operands


def is_same_csr(ours, theirs, word):
    """Whether all differs but that one of the two has no name for the CSR."""
    csr = int(word, 16) >> 20
    if not ours[0].startswith("csr") or ours[0] != theirs[0] or len(ours[1]) != len(theirs[1]):
        return False
    return all(mine == its or csr in (mine, its) for mine, its in zip(ours[1], theirs[1]))
