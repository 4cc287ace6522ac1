"""Kernel modules of the Debian guest, taken out of the package that tools/guest fetched."""

import io
import lzma
import os
import re
import subprocess
import tarfile
from pathlib import Path

from cases import WORK, expect


def package():
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    found = sorted((cache / "rivulet/packages").glob("linux-image-*_riscv64.deb"))
    expect(found, "no kernel package: run tools/guest")
    return found[-1]


def unpack(names):
    """name -> contents of each module of these names; a module's file may spell _ as -."""
    wanted = {name.replace("-", "_") for name in names}
    found = {}
    command = ["dpkg-deb", "--fsys-tarfile", package()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as members:
            for member in members:
                name = re.search(r"/([^/]+)\.ko\.xz$", member.name)
                if name and name[1].replace("-", "_") in wanted:
                    packed = members.extractfile(member).read()
                    found[name[1].replace("-", "_")] = lzma.open(io.BytesIO(packed)).read()
    expect(set(found) == wanted, f"the kernel package lacks {wanted - set(found)}")
    return found


def needs(contents):
    """What a module says in its section .modinfo that it needs."""
    text = re.search(rb"\0depends=([^\0]*)\0", contents)[1].decode()
    return [name.replace("-", "_") for name in text.split(",") if name]


def modules(*names):
    """Files of these modules and of all that they need, in the order of loading."""
    contents, todo = {}, set(names)
    while todo:
        contents |= unpack(todo)
        todo = {need for name in contents for need in needs(contents[name])} - set(contents)
    order = []

    def place(name):
        for need in needs(contents[name]):
            place(need)
        if name not in order:
            order.append(name)

    for name in names:
        place(name)
    folder = WORK / "modules"
    folder.mkdir(parents=True, exist_ok=True)
    for name in order:
        (folder / f"{name}.ko").write_bytes(contents[name])
    return [folder / f"{name}.ko" for name in order]
