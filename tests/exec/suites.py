"""The tests that python3 and perl have of themselves, by Debian's programs in `rivulet exec`.

What does not pass is named here with its reason; a row that has none must pass whole."""

import re
import shutil
from fnmatch import fnmatch

from cases import Failure, expect, run, tail
from tree import perl_sources
from writing import made_once

THREADS = "a program has one thread"

# Modules of python3's tests, and patterns of what is left out, with the reason. `./check` runs
# those of QUICK. Not here: what is about threads as a whole (test_socket, test_threading), or about
# a display or the Internet.
PYTHON = {
    "test_posix": {},
    "test_select": {},
    "test_epoll": {},
    "test_pty": {},
    "test_mmap": {},
    "test_fileio": {},
    "test_fcntl": {},
    "test_resource": {},
    "test_ioctl": {"test_ioctl_suspend_and_resume_output": THREADS},
    "test_termios": {"test_tcflow_suspend_and_resume_output": THREADS},
    "test_tty": {},
    "test_poll": {"test_poll_blocks_with_negative_ms": THREADS, "test_threaded_poll": THREADS},
    "test_wait3": {"*ForkWait.test_wait": THREADS, "*Wait3Test.test_wait": THREADS},
    "test_selectors": {},
    "test_popen": {},
    "test_tempfile": {},
    "test_shutil": {},
    "test_stat": {},
    "test_pwd": {},
    "test_grp": {},
    "test_struct": {},
    "test_math": {},
    "test_float": {},
    "test_json": {},
    "test_zlib": {},
    "test_array": {},
    "test_memoryview": {},
    "test_eintr": {},
    "test_subprocess": {
        "test_double_close_on_error": THREADS,
        "test_threadsafe_wait": THREADS,
    },
    "test_re": {},
    "test_gzip": {},
    "test_lzma": {},
    "test_bz2": {"testThreading": THREADS},
    "test_hashlib": {"test_threaded_hashing": THREADS},
    "test_sqlite3": {"test_check_c*_thread": THREADS, "test_dont_check_same_thread": THREADS},
}
QUICK_PYTHON = ("test_epoll", "test_fileio")

# Folders of perl's tests, and the files that are left out, with the reason.
PERL_FOLDERS = ("base", "cmd", "comp", "io", "op", "opbasic", "re", "run")
THREADED = re.compile(r"(^|[/_-])(thr|threads?)\b|threads-")
QUICK_PERL = ("io/pipe.t", "io/dup.t", "op/fork.t", "op/exec.t", "op/kill0.t")
XS = "it needs XS::APItest, which is built with perl and not installed"
LONG = "it takes many minutes"
PERL_WITHOUT = {
    "op/getpid.t": THREADS,
    "op/goto.t": XS,
    "op/goto_xs.t": XS,
    "op/magic.t": "it looks for its own command line with ps, which shows the emulator's",
    "re/anyof.t": LONG,
    "re/fold_grind*.t": LONG,
    "re/uniprops*.t": "its table is made when perl is built, and not installed",
    "run/runenv_hashseed.t": LONG,
    "run/switchF2.t": THREADS,
    "run/switches.t": THREADS,
}


def command(rivulet, tree, *words):
    path = f"{tree}/usr/bin:/usr/bin:/bin"
    return [rivulet, "exec", "-L", tree, "-E", f"PATH={path}", "-U", "LC_ALL", *words]


# --- python3 ---


def python_case(rivulet, tree, place, module):
    def case():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        without = [word for pattern in PYTHON[module] for word in ("-i", pattern)]
        ended = run(command(rivulet, tree, "-E", f"TMPDIR={place}", "-E", f"HOME={place}",
                            f"{tree}/usr/bin/python3", "-m", "test", *without, module),
                    limit=600, cwd=place)
        ended.must_end_with(0)
        found = re.search(r"Total tests: run=(\d+)", ended.out)
        expect(found and int(found[1]) > 0, f"it ran nothing\n{tail(ended.out)}")
    return case


# --- perl ---


@made_once
def perl_folder(tree, folder):
    """t/ as it is in perl's sources, beside lib/ with what Debian installs: where the tests look.
    threads.pm is left out, so that what can do without does."""
    sources = perl_sources()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("t", "lib", "regen"):
        shutil.copytree(sources / name, folder / name, symlinks=True)
    shutil.copy(sources / "MANIFEST", folder)
    libraries = [*tree.glob("usr/share/perl/5.*.*"), *tree.glob("usr/lib/*/perl/5.*.*"),
                 *tree.glob("usr/lib/*/perl-base")]
    for library in libraries:
        shutil.copytree(library, folder / "lib", dirs_exist_ok=True)
    (folder / "lib/threads.pm").unlink()
    (folder / "t/perl").symlink_to(tree / "usr/bin/perl")
    return folder / "t"


def switches(script):
    """Those of perl in its first line, which it wants to be given again."""
    found = re.match(r"#!.*perl((?: +-\S+)*)", script.read_text(errors="replace"))
    return found[1].split() if found else []


def judge(ended, name):
    """Whether what it printed is a whole TAP stream without failures."""
    expect(ended.status == 0, f"{name} ended with {ended.status}\n{tail(ended.out + ended.err)}")
    plan = re.search(r"^1\.\.(\d+)(.*)", ended.out, re.M)
    expect(plan, f"{name} has no plan\n{tail(ended.out)}")
    if "skip" in plan[2].lower():
        return
    bad = [line for line in re.findall(r"^not ok.*", ended.out, re.M)
           if not re.search(r"# *TODO", line, re.I)]
    good = len(re.findall(r"^(?:ok|not ok)\b", ended.out, re.M)) - len(bad)
    expect(not bad, f"{name}: {bad[:3]}\n{tail(ended.err)}")
    expect(good >= int(plan[1]), f"{name} ran {good} of {plan[1]}\n{tail(ended.out)}")


def perl_case(rivulet, tree, folder, names):
    """names: of the files, or of a folder that has them."""
    def case():
        place, failures = perl_folder(tree, folder), []
        files = perl_files(place, names) if isinstance(names, str) else names
        for name in files:
            words = command(rivulet, tree, f"{tree}/usr/bin/perl", *switches(place / name), name)
            try:
                judge(run(words, limit=300, cwd=place), name)
            except Failure as failure:
                failures.append(str(failure))
        expect(files and not failures, "\n    ".join(failures))
    return case


def perl_files(place, top):
    names = [f"{top}/{script.name}" for script in sorted((place / top).glob("*.t"))]
    return [name for name in names if not THREADED.search(name)
            and not any(fnmatch(name, pattern) for pattern in PERL_WITHOUT)]


def cases(rivulet, tree, work, long):
    modules = PYTHON if long else QUICK_PYTHON
    groups = {f"in {top}": top for top in PERL_FOLDERS} if long else {
        "of files, processes and signals": QUICK_PERL}
    return [(f"python3 passes its own {module}",
             python_case(rivulet, tree, work / "python" / module, module)) for module in modules] + [
        (f"perl passes its own tests {what}",
         perl_case(rivulet, tree, work / "perl", names)) for what, names in groups.items()]
