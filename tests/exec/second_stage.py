"""debootstrap's second stage: a Debian for riscv64 is set up without a machine.

The first stage is done on the host, as by tools/make-debian-disk. Its second one runs in
`rivulet exec --root`, as root of Debian's own fakeroot inside: devices and owners are what it
pretends. What else needs root, mount, fails, and debootstrap goes on without."""

import re
import shutil
import subprocess
import sys

from cases import ROOT, expect, run, tail

sys.path.insert(0, str(ROOT / "tools/debian"))
import making  # noqa: E402

SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# By TCP, as the calls of System V's message queues are not there.
FAKEROOT = ["/bin/sh", "/usr/bin/fakeroot-tcp"]


class Quiet:
    """making's functions show how far they are."""

    def show(self, text):
        pass


def first_stage(tree):
    """Packages are unpacked by the host: dpkg-deb wants threads for what xz packed."""
    mirror = subprocess.check_output([ROOT / "tools/guest", "--print-mirror"], text=True).strip()
    debs = tree.parent / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    run(["fakeroot", "debootstrap", "--foreign", "--arch=riscv64", "--variant=minbase",
         "--include=fakeroot", f"--keyring={KEYRING}", f"--cache-dir={debs}", SUITE, tree, mirror],
        limit=1200).must_end_with(0)
    archives = tree / "var/cache/apt/archives"
    for package in archives.glob("*fakeroot_*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, tree], check=True)
    making.unpack_packages(archives, Quiet())
    if (tree / "proc").is_symlink():  # to the host's, by a debootstrap that runs in a container
        (tree / "proc").unlink()
    (tree / "proc").mkdir(exist_ok=True)


def inside(rivulet, tree, *words, limit=120):
    return run([rivulet, "exec", "--root", tree, "--bind", "/proc:/proc", "-E", f"PATH={PATH}",
                "-E", "HOME=/root", "-E", "DEBIAN_FRONTEND=noninteractive", "-U", "LC_ALL",
                "-U", "LANG", "-U", "TMPDIR", *words], limit=limit)


def installs(rivulet, work):
    def case():
        tree = work / "second-stage/tree"
        shutil.rmtree(tree, ignore_errors=True)
        first_stage(tree)
        ended = inside(rivulet, tree, *FAKEROOT, "/bin/sh", "/debootstrap/debootstrap",
                       "--second-stage", limit=1800).must_end_with(0)
        expect("Base system installed successfully" in ended.out, tail(ended.out))
        audit = inside(rivulet, tree, "/usr/bin/dpkg", "--audit").must_end_with(0)
        expect(audit.out == "", f"dpkg finds\n{tail(audit.out)}")
        listed = inside(rivulet, tree, "/usr/bin/dpkg-query", "-f", "${db:Status-Abbrev}\\n", "-W")
        states = set(listed.must_end_with(0).out.split())
        expect(states == {"ii"}, f"packages are {states}")
        expect(re.search("^_apt:x:", (tree / "etc/passwd").read_text(), re.M),
               "apt's script has made no user")
        hello = inside(rivulet, tree, "/usr/bin/perl", "-e", "print 6 * 7")
        expect(hello.must_end_with(0).out == "42", f"its perl says {hello.out!r}")
    return case


def cases(rivulet, work):
    return [("debootstrap's second stage installs a whole Debian",
             installs(rivulet, work))]
