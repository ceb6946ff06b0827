#!/usr/bin/env python3
"""From a fresh checkout to a result, or to a tested change, in one command.

    python3 dev.py run [ARGS...]      simulate the first scenario; ARGS go to `netnode run`
    python3 dev.py test [ARGS...]     lint, types and layers, then the tests; ARGS go to pytest
    python3 dev.py verify [ARGS...]   every test, the long statistical checks too
    python3 dev.py bench [ARGS...]    time everything into docs/benchmarks.md; ARGS: rows, --quick
    python3 dev.py lock [ARGS...]     remake the lock files with uv; ARGS as in --upgrade

The first call makes a virtual environment, `.venv`, from the lock files; a stamp in it lets the
next call start at once. It belongs to this file and is made anew whenever the stamp does not fit.
Everything runs in the project folder, wherever it was called from.
"""
# An old Python must be able to parse this file, to be told that it is too old.
# ruff: noqa: UP032, UP036

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
TOOLS = os.path.join(ROOT, ".venv-tools")  # pip, and uv where the PATH has none
STAMP = os.path.join(VENV, "netnode-stamp")
LOG = os.path.join(VENV, "setup.log")
LOCKS = {"run": "requirements.lock", "test": "requirements-test.lock"}
UV_LOCK = "requirements-uv.lock"
BENCHMARKS = "tests/benchmarks/table.py"
SCENARIO = "scenarios/folsom-vs-grizzly.yaml"
CHECKS = ("ruff check", "ruff format --check", "mypy", "lint-imports --no-logo")
# Neighbours stay in one worker where they can: some share a long simulation.
PARALLEL = ["-n", "auto", "--dist", "worksteal"]
# Wheels only: to build from source would fetch build tools that no lock file knows.
LOCKED = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r"]
PROJECT = ["--no-deps", "--no-build-isolation", "-e", "."]
RESOLVE = ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest"]
FORMAT = ["--generate-hashes", "--no-annotate", "--quiet", "--custom-compile-command"]
LOCK_HEADER = 'python3 dev.py lock  (group "build" is what it takes to install the project itself)'
NETWORK_TROUBLE = ("connection broken", "max retries", "failed to fetch", "error sending request")
UNREACHABLE = (
    "cannot reach the package index; behind a proxy or with a mirror, set https_proxy or "
    "PIP_INDEX_URL (more in .venv/setup.log)"
)


class SetupError(Exception):
    """The environment cannot be made; the message is one line for the user."""


def program(folder, name):
    """The path of the program *name* in the virtual environment *folder*."""
    if os.name == "nt":
        return os.path.join(folder, "Scripts", name + ".exe")
    return os.path.join(folder, "bin", name)


def fingerprint():
    """A digest of all that decides what .venv must hold, and of where it lies."""
    digest = hashlib.sha256((sys.version + ROOT).encode())
    for name in ["pyproject.toml", *sorted(LOCKS.values())]:
        with open(name, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def stamped():
    """The set that .venv holds whole, "run" or "test"; None if there is none or it is too old."""
    try:
        with open(STAMP) as file:
            kind, digest = file.read().split()
    except (OSError, ValueError):
        return None
    fits = digest == fingerprint() and os.path.exists(program(VENV, "python"))
    return kind if fits else None


def stamp(kind):
    """Record that .venv holds the whole set *kind*."""
    with open(STAMP, "w") as file:
        file.write("{} {}\n".format(kind, fingerprint()))


def set_up(kind):
    """Make .venv hold the set *kind*, unless its stamp says that it does; "test" includes "run"."""
    have = stamped()
    if have in (kind, "test"):
        return
    say("installing into .venv, once; this can take a minute")
    if have:
        os.remove(STAMP)  # An install that is killed half-way must be seen next time.
    else:
        make_environment(VENV, with_pip=False)
    try:
        if not install_by_uv(LOCKS[kind]):
            install_by_pip(LOCKS[kind])
    except SetupError:
        if have:
            stamp(have)  # Both installers download everything before they change anything.
        raise
    stamp(kind)


def make_environment(folder, with_pip):
    """Make a virtual environment in *folder*, in place of whatever is there."""
    import importlib.util
    import shutil

    needed = ["venv", "ensurepip"] if with_pip else ["venv"]
    if not all(importlib.util.find_spec(name) for name in needed):
        raise SetupError("this Python lacks venv; on Debian and Ubuntu: apt install python3-venv")
    import venv

    if os.path.lexists(folder):
        shutil.rmtree(folder)
    venv.create(folder, symlinks=os.name != "nt", with_pip=with_pip)


def install_by_uv(lock):
    """Install the file *lock* and the project; False if uv is not to be had or does not manage."""
    uv = find_uv()
    command = [uv, "pip", "install", "--python", program(VENV, "python")]
    return uv is not None and all(
        attempt(command + rest)[0] for rest in ([*LOCKED, lock], ["--offline", *PROJECT])
    )


def install_by_pip(lock):
    """Do the same with pip, which has its own settings of index, proxy and certificates."""
    command = [*pip(), "--python", program(VENV, "python"), "install"]
    for rest in (["--no-compile", *LOCKED, lock], ["--no-index", *PROJECT]):
        done, output = attempt(command + rest)
        if not done:
            raise SetupError(reason(output))


def find_uv():
    """The uv of the PATH, or else one of our own; None if there is none for this machine."""
    import shutil

    found = shutil.which("uv")
    if found:
        return found
    done, output = attempt([*pip(), "install", *LOCKED, UV_LOCK])
    if not done and reason(output) == UNREACHABLE:
        raise SetupError(UNREACHABLE)
    return program(TOOLS, "uv") if done else None


def pip():
    """The start of a pip command; the pip is in .venv-tools, which is made if need be."""
    command = [program(TOOLS, "python"), "-m", "pip"]
    if not attempt([*command, "--version"])[0]:
        make_environment(TOOLS, with_pip=True)
    return [*command, "--disable-pip-version-check", "--no-input", "--retries", "2"]


def attempt(command):
    """Run *command* with its output into the log; return whether it succeeded, and the output."""
    variables = dict(os.environ, PIP_USER="0")
    variables.setdefault("UV_SYSTEM_CERTS", "1")  # where a company's own certificate is
    if "PIP_INDEX_URL" in variables and "UV_INDEX_URL" not in variables:
        variables.setdefault("UV_DEFAULT_INDEX", variables["PIP_INDEX_URL"])
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        done = subprocess.run(command, env=variables, check=False, **pipes)
    except OSError as error:
        return False, str(error)
    output = done.stdout.decode("utf-8", "replace")
    if os.path.isdir(VENV):
        with open(LOG, "a", encoding="utf-8") as log:
            log.write("$ {}\n{}\n".format(" ".join(command), output))
    return done.returncode == 0, output


def reason(output):
    """One line that says why an installer failed."""
    if any(sign in output.lower() for sign in NETWORK_TROUBLE):
        return UNREACHABLE
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no message"]
    errors = [line for line in lines if line.lower().startswith("error")]
    return "cannot install: {} (more in .venv/setup.log)".format((errors or lines)[-1])


def run(arguments):
    """Simulate the first scenario."""
    set_up("run")
    return become("netnode", "run", SCENARIO, *arguments)


def test(arguments):
    """Check everything, pytest last; the exit code is pytest's, or 1 if an earlier check failed."""
    set_up("test")
    failed = []
    for check in CHECKS:
        print("\n--- " + check, flush=True)
        if child(*check.split()) != 0:
            failed.append(check)
    if failed:
        print("\n--- FAILED before the tests: " + ", ".join(failed), flush=True)
    print("\n--- pytest", flush=True)
    return child("pytest", "--cov", *PARALLEL, *arguments) or int(bool(failed))


def verify(arguments):
    """Run every test, those marked slow too."""
    set_up("test")
    return become("pytest", *PARALLEL, "-m", "slow or not slow", *arguments)


def bench(arguments):
    """Make the table of benchmarks, or some rows of it."""
    set_up("test")
    return become("python", BENCHMARKS, *arguments)


def lock(arguments):
    """Remake the lock files; what they hold stays as it is unless *arguments* say --upgrade."""
    project = ["pyproject.toml", "--group", "build"]
    compile_lock(LOCKS["test"], [*project, "--group", "test", *arguments])
    compile_lock(LOCKS["run"], [*project, "--constraint", LOCKS["test"], *arguments])
    compile_lock(UV_LOCK, ["--group", "uv", *arguments])
    return 0


def compile_lock(name, arguments):
    """Write the lock file *name*: one version of a package for all platforms and Pythons."""
    command = [find_uv() or "uv", "pip", "compile", *RESOLVE, *FORMAT, LOCK_HEADER]
    done, output = attempt([*command, "--output-file", name, *arguments])
    if not done:
        raise SetupError(reason(output))


def environment():
    """This process's variables, for the programs of .venv."""
    variables = dict(os.environ, VIRTUAL_ENV=VENV)
    folders = [os.path.dirname(program(VENV, "python")), os.environ.get("PATH", os.defpath)]
    variables["PATH"] = os.pathsep.join(folders)
    # Without bytecode every process compiles its libraries, for seconds: keep it in .venv then.
    if variables.pop("PYTHONDONTWRITEBYTECODE", ""):
        variables["PYTHONPYCACHEPREFIX"] = os.path.join(VENV, "bytecode")
    return variables


def child(name, *arguments):
    """Run a program of .venv and return its exit code; at Ctrl-C, wait until it has ended too."""
    process = subprocess.Popen([program(VENV, name), *arguments], env=environment())
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise
    return code if code >= 0 else 128 - code


def become(name, *arguments):
    """Go on as a program of .venv, which then gets every signal itself."""
    if os.name != "posix":
        return child(name, *arguments)
    path = program(VENV, name)
    return os.execve(path, [path, *arguments], environment())


def say(line):
    """Print *line* on stderr."""
    print("dev.py: {}".format(line), file=sys.stderr, flush=True)


COMMANDS = {"run": run, "test": test, "verify": verify, "bench": bench, "lock": lock}


def main(arguments):
    """Do what *arguments* say and return the exit code."""
    if sys.version_info < (3, 11):
        say("needs Python 3.11 or newer, and this is {}.{}".format(*sys.version_info[:2]))
        return 2
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        say("usage: python3 dev.py {} [ARGS...]".format("|".join(COMMANDS)))
        return 2
    try:
        os.chdir(ROOT)
        return COMMANDS[arguments[0]](arguments[1:])
    except SetupError as error:
        say(error)
    except (OSError, subprocess.CalledProcessError) as error:
        say("{} (is the project folder whole and writable?)".format(error))
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
