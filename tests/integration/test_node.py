"""Node's client: the conformance kit, then its table in step and files on a real stack. Skipped (77) where node, npm or the registry is not
there; that takes less than 10 s."""
import os
import pathlib
import shutil
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(os.environ.get("AFTERCARE_NODE_FOLDER", TREE / "build" / "node-client"))
SKIPPED = 77


def quick(*words, seconds):
    try:
        return subprocess.run(words, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def prepare():
    """What is missing, or None."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node or npm is not installed"
    HERE.mkdir(parents=True, exist_ok=True)
    shutil.copytree(TREE / "proto" / "clients" / "node", HERE, dirs_exist_ok=True)
    if quick("node", "-e", "Promise.all(['zeromq','libsql','@msgpack/msgpack'].map(m => import(m))).catch(() => process.exit(1))", seconds=5):
        return None
    once = ("--fetch-retries=0", "--fetch-timeout=4000")
    if not quick("npm", "ping", *once, seconds=4):
        return "npm's registry is not reached"
    if not quick("npm", "install", "--no-audit", "--no-fund", *once, seconds=90):
        return "npm install did not succeed"
    return None


def main():
    missing = prepare()
    if missing:
        print(f"skipped: {missing}")
        return SKIPPED
    kit = subprocess.run([TREE / "proto" / "conformance" / "run", "--jobs", "12", "node", HERE / "job.js"])
    names = ["Clients.test_tables_stay_equal_to_the_journal_whatever_is_killed", "Clients.test_files_go_between_the_clients"]
    table = subprocess.run([sys.executable, TREE / "tests/integration/test_clients.py", *names], env={**os.environ, "AFTERCARE_NODE_CLIENT": str(HERE)})
    packed = subprocess.run(["npm", "pack", "--dry-run", "--ignore-scripts"], cwd=HERE, capture_output=True, text=True, timeout=60)
    print(packed.stderr[-600:])
    return 1 if kit.returncode or table.returncode or packed.returncode or any(name not in packed.stderr for name in ("aftercare.js", "wire.js", "files.js")) else 0


if __name__ == "__main__":
    sys.exit(main())
