"""The tree of Debian 13's riscv64 packages that rivulet exec is tried with, and perl's own tests."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("bash dash coreutils busybox-static perl python3 libpython3.13-testsuite gcc libc6-dev "
            "sqlite3 tar gzip bzip2 xz-utils make git openssl grep sed gawk findutils diffutils file "
            "debianutils").split()


def fetch(*arguments):
    """A folder, fetched once (tools/guest)."""
    done = subprocess.run([ROOT / "tools/guest", *arguments], check=True, stdout=subprocess.PIPE,
                          text=True)
    return Path(done.stdout.strip())


def unpack_tree():
    return fetch("--unpack", "exec-programs", *PACKAGES)


def perl_sources():
    return fetch("--source", "perl-source", "perl")
