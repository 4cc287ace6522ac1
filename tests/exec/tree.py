"""The tree of Debian 13's riscv64 packages that rivulet exec is tried with."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("bash coreutils busybox-static perl python3 gcc libc6-dev sqlite3 tar gzip make git "
            "openssl grep sed gawk findutils diffutils file debianutils").split()


def unpack_tree(name="exec-tree", packages=PACKAGES):
    """Its folder; fetched once (tools/guest)."""
    done = subprocess.run([ROOT / "tools/guest", "--unpack", name, *packages], check=True,
                          capture_output=True, text=True)
    return Path(done.stdout.strip())
