"""What a program runs on, as a record says it: device, versions, commit, command."""

import platform
import shlex
import subprocess
import sys
from pathlib import Path

from press.files import FORBIDDEN

# Their versions are noted if the program has loaded them.
LIBRARIES = ("numpy", "scipy", "sklearn", "pandas", "torch", "jax", "tensorflow", "transformers")


def collect_environment() -> dict[str, str]:
    """The device, the versions of Python and of the libraries that are loaded, the commit.

    The device is the GPU that torch would use, if torch is loaded and there is one, else the
    processor. The commit is that of the working folder, with "-dirty" where files differ from it.
    """
    found = {
        "device": _device(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "commit": _commit(),
    }
    loaded = {name: getattr(sys.modules.get(name), "__version__", "") for name in LIBRARIES}
    return {name: str(value) for name, value in (found | loaded).items() if value}


def running_command() -> str:
    """The command line of this program, from the working folder; "" if it is not a file there."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec:  # python -m package
        return _joined("-m", spec.name.removesuffix(".__main__"))
    path, here = Path(getattr(main, "__file__", None) or "/").resolve(), Path.cwd().resolve()
    if not path.is_relative_to(here) or path == here:
        return ""
    return _joined(path.relative_to(here).as_posix())


def _joined(*program: str) -> str:
    """The command line, without what no record may hold: no run is lost for its arguments."""
    return FORBIDDEN.sub("\ufffd", shlex.join(["python", *program, *sys.argv[1:]]))


def _device() -> str:
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
