#!/usr/bin/env python3
"""Expected results of instructions, for the tables of tests/isa.

An independent model of the ISA in exact arithmetic (Python integers and fractions), written from
the unprivileged manual and not from the emulator. `model.py OUT` writes one header for each
extension into OUT/rows, with rows of operands and results that the test programs include.
"""
import os
import random
import sys
from fractions import Fraction
from math import isqrt

M64 = (1 << 64) - 1


def s(v, bits=64):
    v &= (1 << bits) - 1
    return v - (1 << bits) if v >> (bits - 1) else v


def u(v, bits=64):
    return v & ((1 << bits) - 1)


def w(v):
    return u(s(v, 32))


def div(a, b, bits):
    a, b = s(a, bits), s(b, bits)
    if b == 0:
        return -1
    q = abs(a) // abs(b)
    return -q if (a < 0) != (b < 0) else q


def rem(a, b, bits):
    a, b = s(a, bits), s(b, bits)
    if b == 0:
        return a
    r = abs(a) % abs(b)
    return -r if a < 0 else r


def clmul(a, b):
    r = 0
    for i in range(64):
        if b >> i & 1:
            r ^= a << i
    return r


def rol(v, n, bits):
    n %= bits
    v = u(v, bits)
    return u(v << n | v >> (bits - n), bits) if n else v


BINARY = {
    "i": {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "and": lambda a, b: a & b,
        "or": lambda a, b: a | b,
        "xor": lambda a, b: a ^ b,
        "slt": lambda a, b: s(a) < s(b),
        "sltu": lambda a, b: a < b,
        "sll": lambda a, b: a << (b & 63),
        "srl": lambda a, b: a >> (b & 63),
        "sra": lambda a, b: s(a) >> (b & 63),
        "addw": lambda a, b: w(a + b),
        "subw": lambda a, b: w(a - b),
        "sllw": lambda a, b: w(a << (b & 31)),
        "srlw": lambda a, b: w(u(a, 32) >> (b & 31)),
        "sraw": lambda a, b: w(s(a, 32) >> (b & 31)),
    },
    "m": {
        "mul": lambda a, b: a * b,
        "mulh": lambda a, b: s(a) * s(b) >> 64,
        "mulhu": lambda a, b: a * b >> 64,
        "mulhsu": lambda a, b: s(a) * b >> 64,
        "div": lambda a, b: div(a, b, 64),
        "divu": lambda a, b: a // b if b else M64,
        "rem": lambda a, b: rem(a, b, 64),
        "remu": lambda a, b: a % b if b else a,
        "mulw": lambda a, b: w(a * b),
        "divw": lambda a, b: w(div(a, b, 32)),
        "divuw": lambda a, b: w(u(a, 32) // u(b, 32)) if u(b, 32) else M64,
        "remw": lambda a, b: w(rem(a, b, 32)),
        "remuw": lambda a, b: w(u(a, 32) % u(b, 32)) if u(b, 32) else w(a),
    },
    "zba": {
        "sh1add": lambda a, b: (a << 1) + b,
        "sh2add": lambda a, b: (a << 2) + b,
        "sh3add": lambda a, b: (a << 3) + b,
        "add.uw": lambda a, b: u(a, 32) + b,
        "sh1add.uw": lambda a, b: (u(a, 32) << 1) + b,
        "sh2add.uw": lambda a, b: (u(a, 32) << 2) + b,
        "sh3add.uw": lambda a, b: (u(a, 32) << 3) + b,
    },
    "zbb": {
        "andn": lambda a, b: a & ~b,
        "orn": lambda a, b: a | ~b,
        "xnor": lambda a, b: a ^ ~b,
        "max": lambda a, b: max(s(a), s(b)),
        "maxu": max,
        "min": lambda a, b: min(s(a), s(b)),
        "minu": min,
        "rol": lambda a, b: rol(a, b & 63, 64),
        "ror": lambda a, b: rol(a, 64 - (b & 63), 64),
        "rolw": lambda a, b: w(rol(a, b & 31, 32)),
        "rorw": lambda a, b: w(rol(a, 32 - (b & 31), 32)),
    },
    "zbc": {
        "clmul": clmul,
        "clmulh": lambda a, b: clmul(a, b) >> 64,
        "clmulr": lambda a, b: clmul(a, b) >> 63,
    },
    "zbs": {
        "bclr": lambda a, b: a & ~(1 << (b & 63)),
        "bext": lambda a, b: a >> (b & 63) & 1,
        "binv": lambda a, b: a ^ 1 << (b & 63),
        "bset": lambda a, b: a | 1 << (b & 63),
    },
}

UNARY = {
    "zbb": {
        "clz": lambda a: 64 - a.bit_length(),
        "ctz": lambda a: (a & -a).bit_length() - 1 if a else 64,
        "cpop": lambda a: bin(a).count("1"),
        "clzw": lambda a: 32 - u(a, 32).bit_length(),
        "cpopw": lambda a: bin(u(a, 32)).count("1"),
        "sext.b": lambda a: s(a, 8),
        "sext.h": lambda a: s(a, 16),
        "zext.h": lambda a: u(a, 16),
        "rev8": lambda a: int.from_bytes(a.to_bytes(8, "little"), "big"),
        "orc.b": lambda a: sum(255 << i for i in range(0, 64, 8) if a >> i & 255),
    },
    # Part of Zbb, apart because an emulator to compare with has it wrong.
    "ctzw": {
        "ctzw": lambda a: (u(a, 32) & -u(a, 32)).bit_length() - 1 if u(a, 32) else 32,
    },
}

# name: (range of the immediate, semantics)
IMM12, SHIFT6, SHIFT5 = (-2048, 2047), (0, 63), (0, 31)
IMMEDIATE = {
    "i": {
        "addi": (IMM12, lambda a, i: a + i),
        "andi": (IMM12, lambda a, i: a & u(i)),
        "ori": (IMM12, lambda a, i: a | u(i)),
        "xori": (IMM12, lambda a, i: a ^ u(i)),
        "slti": (IMM12, lambda a, i: s(a) < i),
        "sltiu": (IMM12, lambda a, i: a < u(i)),
        "addiw": (IMM12, lambda a, i: w(a + i)),
        "slli": (SHIFT6, lambda a, i: a << i),
        "srli": (SHIFT6, lambda a, i: a >> i),
        "srai": (SHIFT6, lambda a, i: s(a) >> i),
        "slliw": (SHIFT5, lambda a, i: w(a << i)),
        "srliw": (SHIFT5, lambda a, i: w(u(a, 32) >> i)),
        "sraiw": (SHIFT5, lambda a, i: w(s(a, 32) >> i)),
    },
    "zba": {"slli.uw": (SHIFT6, lambda a, i: u(a, 32) << i)},
    "zbb": {
        "rori": (SHIFT6, lambda a, i: rol(a, 64 - i, 64)),
        "roriw": (SHIFT5, lambda a, i: w(rol(a, 32 - i, 32))),
    },
    "zbs": {
        "bclri": (SHIFT6, lambda a, i: a & ~(1 << i)),
        "bexti": (SHIFT6, lambda a, i: a >> i & 1),
        "binvi": (SHIFT6, lambda a, i: a ^ 1 << i),
        "bseti": (SHIFT6, lambda a, i: a | 1 << i),
    },
}

# name: new memory value from old memory and register; of 32 or 64 bits
AMO = {
    "amoswap": lambda m, r, n: r,
    "amoadd": lambda m, r, n: m + r,
    "amoxor": lambda m, r, n: m ^ r,
    "amoand": lambda m, r, n: m & r,
    "amoor": lambda m, r, n: m | r,
    "amomin": lambda m, r, n: min(s(m, n), s(r, n)),
    "amomax": lambda m, r, n: max(s(m, n), s(r, n)),
    "amominu": lambda m, r, n: min(u(m, n), u(r, n)),
    "amomaxu": lambda m, r, n: max(u(m, n), u(r, n)),
}

CORNERS = [0, 1, 2, M64, M64 - 1, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, 1 << 32,
           0xFFFFFFFF, 0xFFFFFFFF80000000, 63, 64, 0x5555555555555555, 0x00FF00FF12345678]


def operands(rng, n):
    """Tuples of n operands: every corner beside chance ones."""
    for i, c in enumerate(CORNERS):
        yield tuple([c] + [rng.choice(CORNERS) for _ in range(n - 1)])
        if n > 1:
            yield tuple([rng.choice(CORNERS) for _ in range(n - 1)] + [c])
    for _ in range(8):
        yield tuple(rng.getrandbits(64) >> rng.choice([0, 0, 0, 32, 48, 58]) for _ in range(n))


def row(*values):
    return "{" + ", ".join("0x%x" % u(v) for v in values) + "}"


def integer_header(out, ext, rng):
    for name, f in BINARY.get(ext, {}).items():
        rows = [row(a, b, f(a, b)) for a, b in operands(rng, 2)]
        print('BINARY("%s", %s)' % (name, ", ".join(rows)), file=out)
    for name, f in UNARY.get(ext, {}).items():
        rows = [row(a, f(a)) for (a,) in operands(rng, 1)]
        print('UNARY("%s", %s)' % (name, ", ".join(rows)), file=out)
    for name, ((lo, hi), f) in IMMEDIATE.get(ext, {}).items():
        imms = [lo, hi, 0, 1, hi // 2, rng.randint(lo, hi), rng.randint(lo, hi)]
        for (a,), i in zip(operands(rng, 1), imms * 2):
            print('IMMEDIATE("%s", %d, 0x%x, 0x%x)' % (name, i, a, u(f(a, i))), file=out)


def amo_header(out, rng):
    for name, f in AMO.items():
        for suffix, n in (("w", 32), ("d", 64)):
            rows = []
            for m, r in operands(rng, 2):
                new = m & ~((1 << n) - 1) | u(f(u(m, n), u(r, n), n), n)
                rows.append(row(m, r, s(m, n), new))
            print('AMO("%s.%s", %s)' % (name, suffix, ", ".join(rows)), file=out)


# --- floating point ---------------------------------------------------------------------------

NV, DZ, OF, UF, NX = 16, 8, 4, 2, 1
RNE, RTZ, RDN, RUP, RMM = range(5)
RM_NAMES = ["rne", "rtz", "rdn", "rup", "rmm"]


class Format:
    def __init__(self, letter, bits, mantissa):
        self.letter, self.bits, self.mantissa = letter, bits, mantissa
        self.exponent = bits - 1 - mantissa
        self.bias = (1 << (self.exponent - 1)) - 1
        self.emax = (1 << self.exponent) - 1
        self.inf = self.emax << mantissa
        self.nan = self.inf | 1 << (mantissa - 1)
        self.sign = 1 << (bits - 1)

    def is_nan(self, v):
        return (v & ~self.sign) > self.inf

    def is_snan(self, v):
        return self.is_nan(v) and not v >> (self.mantissa - 1) & 1

    def is_inf(self, v):
        return (v & ~self.sign) == self.inf

    def value(self, v):
        e, m = v >> self.mantissa & self.emax, v & ((1 << self.mantissa) - 1)
        x = Fraction(m if e == 0 else m | 1 << self.mantissa)
        x *= Fraction(2) ** (max(e, 1) - self.bias - self.mantissa)
        return -x if v & self.sign else x

    def quantum_round(self, x, q, rm, negative):
        """|x| / q as an integer, rounded; and whether it was exact."""
        n, r = divmod(x / q, 1)
        if r == 0:
            return int(n), True
        up = {RNE: r > Fraction(1, 2) or (r == Fraction(1, 2) and n % 2), RTZ: False,
              RDN: negative, RUP: not negative, RMM: r >= Fraction(1, 2)}[rm]
        return int(n) + bool(up), False

    def round(self, x, rm, zero_sign=False):
        """(bits, flags) of the exact value x; tininess is detected after rounding."""
        if x == 0:
            return (self.sign if zero_sign else 0), 0
        negative, x = x < 0, abs(x)
        sign = self.sign if negative else 0
        e = x.numerator.bit_length() - x.denominator.bit_length()
        if Fraction(2) ** e > x:
            e -= 1
        emin = 1 - self.bias
        quantum = Fraction(2) ** (max(e, emin) - self.mantissa)
        n, exact = self.quantum_round(x, quantum, rm, negative)
        flags = 0 if exact else NX
        if e < emin and not exact:
            # Tiny unless rounding with unbounded exponent reaches the smallest normal.
            free, _ = self.quantum_round(x, Fraction(2) ** (e - self.mantissa), rm, negative)
            if free * Fraction(2) ** (e - self.mantissa) < Fraction(2) ** emin:
                flags |= UF
        bits = n + ((max(e, emin) + self.bias - 1) << self.mantissa)
        if bits >= self.inf:
            away = rm in (RNE, RMM) or (rm == RDN and negative) or (rm == RUP and not negative)
            return sign | (self.inf if away else self.inf - 1), OF | NX
        return sign | bits, flags


F16, F32, F64 = Format("h", 16, 10), Format("s", 32, 23), Format("d", 64, 52)


def nan_result(f, *vs):
    return f.nan, NV if any(f.is_snan(v) for v in vs) else 0


def fadd(f, a, b, rm):
    if f.is_nan(a) or f.is_nan(b):
        return nan_result(f, a, b)
    if f.is_inf(a) and f.is_inf(b) and a != b:
        return f.nan, NV
    if f.is_inf(a) or f.is_inf(b):
        return (a if f.is_inf(a) else b), 0
    x = f.value(a) + f.value(b)
    sign = bool(a & f.sign) if (a & f.sign) == (b & f.sign) else rm == RDN
    return f.round(x, rm, sign)


def fsub(f, a, b, rm):
    return nan_result(f, a, b) if f.is_nan(b) or f.is_nan(a) else fadd(f, a, b ^ f.sign, rm)


def fmul(f, a, b, rm):
    if f.is_nan(a) or f.is_nan(b):
        return nan_result(f, a, b)
    sign = (a ^ b) & f.sign
    if f.is_inf(a) or f.is_inf(b):
        zero = not (a & ~f.sign) or not (b & ~f.sign)
        return (f.nan, NV) if zero else (sign | f.inf, 0)
    return f.round(f.value(a) * f.value(b), rm, bool(sign))


def fdiv(f, a, b, rm):
    if f.is_nan(a) or f.is_nan(b):
        return nan_result(f, a, b)
    sign = (a ^ b) & f.sign
    if f.is_inf(a):
        return (f.nan, NV) if f.is_inf(b) else (sign | f.inf, 0)
    if f.is_inf(b):
        return sign, 0
    if not b & ~f.sign:
        return (f.nan, NV) if not a & ~f.sign else (sign | f.inf, DZ)
    return f.round(f.value(a) / f.value(b), rm, bool(sign))


def fsqrt(f, a, rm):
    if f.is_nan(a):
        return nan_result(f, a)
    if not a & ~f.sign:
        return a, 0
    if a & f.sign:
        return f.nan, NV
    if f.is_inf(a):
        return a, 0
    # Enough bits, and a sticky bit below them, round like the irrational value.
    x, scale = f.value(a), 1 << 1400
    n = x.numerator * scale * scale // x.denominator
    root = isqrt(n)
    sticky = 0 if root * root == n and n * x.denominator == x.numerator * scale * scale else 1
    return f.round(Fraction(2 * root + sticky, 2 * scale), rm)


def fmadd(f, a, b, c, rm):
    zero = (f.is_inf(a) and not b & ~f.sign) or (f.is_inf(b) and not a & ~f.sign)
    if zero or any(f.is_snan(v) for v in (a, b, c)):
        return f.nan, NV
    if any(f.is_nan(v) for v in (a, b, c)):
        return f.nan, 0
    sign = (a ^ b) & f.sign
    if f.is_inf(a) or f.is_inf(b):
        return (f.nan, NV) if f.is_inf(c) and (c & f.sign) != sign else (sign | f.inf, 0)
    if f.is_inf(c):
        return c, 0
    x = f.value(a) * f.value(b) + f.value(c)
    return f.round(x, rm, bool(sign) if sign == (c & f.sign) else rm == RDN)


def fmsub(f, a, b, c, rm):
    return fmadd(f, a, b, c if f.is_nan(c) else c ^ f.sign, rm)


def fnmadd(f, a, b, c, rm):
    flip = a if f.is_nan(a) else a ^ f.sign
    return fmadd(f, flip, b, c if f.is_nan(c) else c ^ f.sign, rm)


def fnmsub(f, a, b, c, rm):
    return fmadd(f, a if f.is_nan(a) else a ^ f.sign, b, c, rm)


def order(f, v):
    """A number that sorts like the value, -0 just below +0."""
    return -(v & ~f.sign) - 1 if v & f.sign else v


def fminmax(f, a, b, larger):
    flags = NV if f.is_snan(a) or f.is_snan(b) else 0
    if f.is_nan(a) or f.is_nan(b):
        both = f.is_nan(a) and f.is_nan(b)
        return (f.nan if both else b if f.is_nan(a) else a), flags
    return (max if larger else min)(a, b, key=lambda v: order(f, v)), flags


def compare(f, a, b, op):
    if f.is_nan(a) or f.is_nan(b):
        quiet = op == "feq" and not f.is_snan(a) and not f.is_snan(b)
        return 0, 0 if quiet else NV
    x, y = [(v & f.sign and -1 or 1) * (v & ~f.sign) for v in (a, b)]
    return {"feq": x == y, "flt": x < y, "fle": x <= y}[op], 0


def fclass(f, v):
    negative, e, m = bool(v & f.sign), v >> f.mantissa & f.emax, v & ((1 << f.mantissa) - 1)
    if f.is_nan(v):
        return 1 << (8 if f.is_snan(v) else 9)
    kind = 0 if f.is_inf(v) else 1 if e else 2 if m else 3
    return 1 << (kind if negative else 7 - kind)


def to_integer(f, v, rm, signed, bits):
    lo, hi = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if f.is_nan(v) or f.is_inf(v):
        negative = bool(v & f.sign) and not f.is_nan(v)
        return s(lo if negative else hi, bits), NV
    x = f.value(v)
    n, exact = f.quantum_round(abs(x), Fraction(1), rm, x < 0)
    n = -n if x < 0 else n
    if not lo <= n <= hi:
        return s(lo if n < lo else hi, bits), NV
    return s(n, bits), 0 if exact else NX


def convert(src, dst, v, rm):
    if src.is_nan(v):
        return nan_result(src, v)[0] and dst.nan, NV if src.is_snan(v) else 0
    if src.is_inf(v):
        return dst.inf | (dst.sign if v & src.sign else 0), 0
    return dst.round(src.value(v), rm, bool(v & src.sign))


def specials(f):
    one, half = f.bias << f.mantissa, (f.bias - 1) << f.mantissa
    values = [0, one, half, one + 1, one - 1, f.inf, f.inf - 1, 1, 2, (1 << f.mantissa) - 1,
              1 << f.mantissa, f.nan, f.inf + 1, f.nan | 5, (f.bias + f.mantissa) << f.mantissa,
              (f.bias + 31) << f.mantissa, (f.bias + 63) << f.mantissa,
              (f.bias + 1) << f.mantissa | 1 << (f.mantissa - 1), (f.bias * 3 // 2) << f.mantissa,
              (f.bias // 2) << f.mantissa | 1]
    values = [v for v in values if v < f.sign]  # half precision has no 2^31
    return values + [v | f.sign for v in values]


def fp_operands(f, rng, n, count):
    special = specials(f)
    for i in range(count):
        vs = []
        for _ in range(n):
            kind = rng.random()
            if kind < 0.5:
                vs.append(rng.choice(special))
            elif kind < 0.8:
                e = f.bias + rng.randint(-4, 4)
                sign = rng.getrandbits(1) * f.sign
                vs.append(sign | e << f.mantissa | rng.getrandbits(f.mantissa))
            else:
                vs.append(rng.getrandbits(f.bits))
        yield tuple(vs)


def box(f, v):
    return v | M64 << f.bits & M64


def fp_rows(out, kind, f, name, rng, n, fn, count=30, rms=range(5)):
    for rm in rms:
        rows = []
        for vs in fp_operands(f, rng, n, count):
            r, flags = fn(*vs, rm)
            rows.append(row(*[box(f, v) for v in vs], r, flags))
        suffix = ", " + RM_NAMES[rm] if len(list(rms)) > 1 else ""
        print('%s("%s", "%s", %s)' % (kind, name, suffix, ", ".join(rows)), file=out)


def fp_header(out, f, rng):
    x = f.letter
    for name, fn in (("fadd", fadd), ("fsub", fsub), ("fmul", fmul), ("fdiv", fdiv)):
        fp_rows(out, "FP2", f, name + "." + x, rng, 2,
                lambda a, b, rm: (lambda r: (box(f, r[0]), r[1]))(fn(f, a, b, rm)))
    fp_rows(out, "FP1", f, "fsqrt." + x, rng, 1,
            lambda a, rm: (lambda r: (box(f, r[0]), r[1]))(fsqrt(f, a, rm)))
    for name, fn in (("fmadd", fmadd), ("fmsub", fmsub), ("fnmadd", fnmadd), ("fnmsub", fnmsub)):
        fp_rows(out, "FP3", f, name + "." + x, rng, 3,
                lambda a, b, c, rm: (lambda r: (box(f, r[0]), r[1]))(fn(f, a, b, c, rm)))
    one = [RNE]
    for name, larger in (("fmin", False), ("fmax", True)):
        fp_rows(out, "FP2", f, name + "." + x, rng, 2,
                lambda a, b, rm: (lambda r: (box(f, r[0]), r[1]))(fminmax(f, a, b, larger)),
                60, one)
    for name in ("feq", "flt", "fle"):
        fp_rows(out, "FPX2", f, name + "." + x, rng, 2,
                lambda a, b, rm: compare(f, a, b, name), 60, one)
    for name, fn in (("fsgnj", lambda a, b: b), ("fsgnjn", lambda a, b: ~b),
                     ("fsgnjx", lambda a, b: a ^ b)):
        fp_rows(out, "FP2", f, name + "." + x, rng, 2,
                lambda a, b, rm: (box(f, a & ~f.sign | fn(a, b) & f.sign), 0), 20, one)
    fp_rows(out, "FPX1", f, "fclass." + x, rng, 1, lambda a, rm: (fclass(f, a), 0), 60, one)
    kinds = (("w", True, 32), ("wu", False, 32), ("l", True, 64), ("lu", False, 64))
    for name, signed, bits in kinds:
        fp_rows(out, "FPX1", f, "fcvt.%s.%s" % (name, x), rng, 1,
                lambda a, rm: to_integer(f, a, rm, signed, bits), 40)
        for rm in range(5):
            rows = []
            for (v,) in operands(rng, 1):
                n = s(v, bits) if signed else u(v, bits)
                r, flags = f.round(Fraction(n), rm)
                rows.append(row(v, box(f, r), flags))
            exact = f.bits == 64 and bits == 32
            print('XFP1("fcvt.%s.%s", "%s", %s)' % (x, name, "" if exact else ", " + RM_NAMES[rm],
                                                    ", ".join(rows)), file=out)
    if f is F16:
        for other in (F32, F64):
            fp_rows(out, "FP1", other, "fcvt.h." + other.letter, rng, 1,
                    lambda a, rm: (lambda r: (box(F16, r[0]), r[1]))(convert(other, F16, a, rm)),
                    60)
            fp_rows(out, "FP1", F16, "fcvt.%s.h" % other.letter, rng, 1,
                    lambda a, rm: (lambda r: (box(other, r[0]), r[1]))(convert(F16, other, a, rm)),
                    60, one)
    if f is F64:
        fp_rows(out, "FP1", F64, "fcvt.s.d", rng, 1,
                lambda a, rm: (lambda r: (box(F32, r[0]), r[1]))(convert(F64, F32, a, rm)), 60)
        fp_rows(out, "FP1", F32, "fcvt.d.s", rng, 1,
                lambda a, rm: convert(F32, F64, a, rm), 60, one)


def main():
    os.makedirs(sys.argv[1] + "/rows", exist_ok=True)
    for ext in ("i", "m", "zba", "zbb", "ctzw", "zbc", "zbs"):
        with open("%s/rows/%s.h" % (sys.argv[1], ext), "w") as out:
            integer_header(out, ext, random.Random(ext))
    with open("%s/rows/a.h" % sys.argv[1], "w") as out:
        amo_header(out, random.Random("a"))
    for f, ext in ((F16, "zfh"), (F32, "f"), (F64, "d")):
        with open("%s/rows/%s.h" % (sys.argv[1], ext), "w") as out:
            fp_header(out, f, random.Random(ext))


main()
