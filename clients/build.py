"""Build the clients of the API from its own document: `python3 dev.py clients [python|typescript]`.

What is generated is not kept: it is built anew from the code, by generators of pinned versions. The Python
client's generator has an environment of its own, .generator; the TypeScript client's comes from npm.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.web.server import make_web

HERE = Path(__file__).resolve().parent
BIN = "Scripts" if sys.platform == "win32" else "bin"


def main(arguments: list[str]) -> int:
    """Build the clients that are named, or both; return the exit code."""
    builders = {"python": build_python, "typescript": build_typescript}
    for name in arguments or builders:
        if name not in builders:
            print(f"there is no client {name!r}; there are: {', '.join(builders)}", file=sys.stderr)
            return 2
        with tempfile.TemporaryDirectory() as folder:
            document = write_document(Path(folder))
            builders[name](document)
        print(f"built clients/{name}")
    return 0


def write_document(folder: Path) -> Path:
    """Write the document of the API as this version of the code has it."""
    database = folder / "none.db"
    with Runtime(load_settings(database=f"sqlite:///{database}", environ={})) as runtime:
        document = make_web(runtime, is_open=True).openapi()
    path = folder / "openapi.json"
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return path


def build_python(document: Path, *, into: Path = HERE / "python/experience_client/api") -> None:
    """Generate the operations that `experience_client` stands in front of."""
    environment = HERE / ".generator"
    pins = HERE / "python/generator.txt"
    stamp = environment / "pins.txt"
    if not stamp.exists() or stamp.read_bytes() != pins.read_bytes():
        venv.create(environment, with_pip=True, clear=True)
        pip = [str(environment / BIN / "python"), "-m", "pip", "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, "--disable-pip-version-check", "--require-hashes", "-r", str(pins)], check=True)
        stamp.write_bytes(pins.read_bytes())
    generate = [str(environment / BIN / "openapi-python-client"), "generate", "--path", str(document)]
    options = ["--config", str(HERE / "python/generator.yaml"), "--meta", "none", "--overwrite"]
    done = subprocess.run(
        [*generate, *options, "--fail-on-warning", "--output-path", str(into)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"the Python client could not be generated:\n{done.stdout}{done.stderr}")


def build_typescript(document: Path, *, here: Path = HERE / "typescript") -> None:
    """Generate the types of the operations, and compile."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("the TypeScript client needs npm, which is not on PATH; install Node.js")
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(install, cwd=here, check=True)
    tools = here / "node_modules/.bin"
    generate = [str(tools / "openapi-typescript"), str(document), "-o", "src/schema.d.ts"]
    subprocess.run(generate, cwd=here, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([str(tools / "tsc")], cwd=here, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
