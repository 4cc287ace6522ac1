"""Files that are no program for rivulet exec, and what must be said of each."""

import struct

HEADER = "<16sHHIQQQIHHHHHH"  # Elf64_Ehdr
FIELDS = ("ident type machine version entry phoff shoff flags ehsize phentsize phnum "
          "shentsize shnum shstrndx").split()
SEGMENT = "<IIQQQQQQ"  # Elf64_Phdr
PARTS = "type flags offset vaddr paddr filesz memsz align".split()
LOAD, INTERPRETER = 1, 3


def with_header(good, **fields):
    values = dict(zip(FIELDS, struct.unpack_from(HEADER, good)))
    values.update(fields)
    return struct.pack(HEADER, *values.values()) + good[64:]


def with_ident(good, at, value):
    return good[:at] + bytes([value]) + good[at + 1:]


def with_segment(good, **parts):
    """The first segment that is loaded is changed."""
    header = dict(zip(FIELDS, struct.unpack_from(HEADER, good)))
    for i in range(header["phnum"]):
        at = header["phoff"] + i * 56
        values = dict(zip(PARTS, struct.unpack_from(SEGMENT, good, at)))
        if values["type"] == LOAD:
            values.update(parts)
            return good[:at] + struct.pack(SEGMENT, *values.values()) + good[at + 56:]
    raise ValueError("it has no segment")


def with_interpreter(good, name):
    """The first segment that is not loaded names an interpreter, which the file ends with."""
    header = dict(zip(FIELDS, struct.unpack_from(HEADER, good)))
    for i in range(header["phnum"]):
        at = header["phoff"] + i * 56
        if struct.unpack_from("<I", good, at)[0] != LOAD:
            segment = struct.pack(SEGMENT, INTERPRETER, 4, len(good), 0, 0, len(name), len(name), 1)
            return good[:at] + segment + good[at + 56:] + name
    raise ValueError("all its segments are loaded")


def bad_programs(good):
    """(what it is, its bytes, what is said): `good` is a static riscv64 program."""
    format_error = "Exec format error: "
    return [
        ("an empty file", b"", format_error + "it is too short"),
        ("half a header", good[:40], format_error + "it is too short"),
        ("a text", b"no program\n" * 9, format_error + "it is no ELF file and no script"),
        ("an x86-64 program", with_header(good, machine=62), "of another machine, not RISC-V"),
        ("a 32-bit program", with_ident(good, 4, 1), "no 64-bit little-endian program"),
        ("a big-endian program", with_ident(good, 5, 2), "no 64-bit little-endian program"),
        ("an object file", with_header(good, type=1), "it is an ELF file, but no program"),
        ("a core dump", with_header(good, type=4), "it is an ELF file, but no program"),
        ("a program without segments", with_header(good, phnum=0), "table of segments"),
        ("a program of 65535 segments", with_header(good, phnum=65535), "table of segments"),
        ("segments of 57 bytes", with_header(good, phentsize=57), "table of segments"),
        ("segments behind the end", with_header(good, phoff=1 << 40), "lies behind its end"),
        ("segments at -1", with_header(good, phoff=(1 << 64) - 1), "lies behind its end"),
        ("nothing to be loaded", with_header(good, phnum=1), "no segment to be loaded"),
        ("a segment of 2^63 bytes", with_segment(good, memsz=1 << 63), "larger than the address"),
        ("a segment at -4096", with_segment(good, vaddr=(1 << 64) - 4096), "larger than the addr"),
        ("a segment with more in the file", with_segment(good, memsz=1), "larger than the address"),
        ("a segment that is crooked", with_segment(good, offset=1), "do not fit"),
        ("a segment in the null page", with_segment(good, vaddr=0), "Operation not permitted"),
        ("an interpreter that is not there", with_interpreter(good, b"/nothing\0"), "-L TREE"),
        ("an interpreter's name without end", with_interpreter(good, b"/nothing"), "name of its"),
        ("an interpreter's empty name", with_interpreter(good, b"\0"), "name of its"),
        ("an interpreter of the host's", with_interpreter(good, b"/bin/sh\0"), "another machine"),
        ("a script of itself", b"#!SELF\n", "Too many levels of symbolic links"),
        ("a script of nothing", b"#!/nothing\n", "No such file or directory"),
        ("a script that names none", b"#!  \n", "Exec format error"),
        ("a script of a folder", b"#!/\n", "Permission denied"),
    ]
