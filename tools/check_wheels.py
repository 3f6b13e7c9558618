"""Build the three distributions and use them as a stranger would.

Each source archive and, from it, each wheel is built into a temporary folder; an empty virtual
environment gets the wheels by their paths, so that only third-party dependencies come from the
index; then the commands of the README run in an empty folder.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Folder of each distribution, with the one package that its wheel may hold.
DISTRIBUTIONS = {
    ".": "reverseflow",
    "plugins/generic_web": "reverseflow_generic_web",
    "plugins/taobao": "reverseflow_taobao",
}
COMMANDS = (("plugins",), ("demo",))

ORIGINS = """
import importlib.metadata as metadata, json
print(json.dumps({
    dist.name: json.loads(dist.read_text("direct_url.json") or "{}").get("url", "the index")
    for dist in metadata.distributions() if dist.name.startswith("reverseflow")
}))
"""


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command in `cwd`; its failure is this script's failure."""
    print("$", *command, flush=True)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, check=True)


def build(folder: str, package: str, into: Path) -> Path:
    """The wheel of one distribution, built from its source archive; it holds `package` alone."""
    into.mkdir()
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", into, ROOT / folder)
    (wheel,) = into.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    strays = {name for name in names if name.split("/")[0] != package and ".dist-info/" not in name}
    if strays or f"{package}/__init__.py" not in names:
        raise SystemExit(f"{wheel.name}: expected the package {package} alone, found {names}")
    if f"{package}/py.typed" not in names:
        raise SystemExit(f"{wheel.name}: py.typed is missing, its types would not be seen")
    return wheel


def check_origins(python: Path, wheels: list[Path]) -> None:
    """Every distribution of ours comes from a file built here, none from the index."""
    found = json.loads(subprocess.check_output([python, "-c", ORIGINS], text=True))
    if sorted(found.values()) != sorted(wheel.as_uri() for wheel in wheels):
        raise SystemExit(f"installed from elsewhere: {found}")


def main() -> None:
    """Build, install, run."""
    with tempfile.TemporaryDirectory(prefix="reverseflow-wheels-") as temporary:
        work = Path(temporary).resolve()
        wheels = [build(folder, package, work / package) for folder, package in DISTRIBUTIONS.items()]
        venv.create(work / "venv", with_pip=True)
        scripts = work / "venv" / ("Scripts" if os.name == "nt" else "bin")
        run(scripts / "python", "-m", "pip", "install", "-q", *wheels)
        check_origins(scripts / "python", wheels)
        empty = work / "empty"
        empty.mkdir()
        for arguments in COMMANDS:
            run(scripts / "reverseflow", *arguments, cwd=empty)


if __name__ == "__main__":
    main()
