"""Known vulnerabilities of the locked packages, by pip-audit.

python -m tools.audit             # exit code 1 if one is known; a word where the advisories cannot be had
python -m tools.audit --strict    # exit code 2 there
"""

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

LOCKS = sorted((Path(__file__).resolve().parent.parent / "locks").glob("*.txt"))
SECONDS = 300


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__)
    parser.add_argument("--strict", action="store_true", help="no advisories is a failure, too")
    strict = parser.parse_args(arguments).strict
    if importlib.util.find_spec("pip_audit") is None:
        print("Nothing was audited: pip-audit is not installed (make setup).", file=sys.stderr)
        return 2 if strict else 0
    worst = 0
    for lock in LOCKS:
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
        try:
            done = subprocess.run([*command, "-r", str(lock)], capture_output=True, text=True, timeout=SECONDS)
            words, known = done.stderr + done.stdout, "vulnerabilit" in done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            done, words, known = None, f"no answer within {SECONDS} seconds", False
        if done and done.returncode == 0:
            print(f"{lock.name}: no known vulnerability")
        elif done and done.returncode == 1 and known:
            print(f"{lock.name}:\n{words}")
            worst = 1
        else:
            reason = (words.strip().splitlines() or ["no reason given"])[-1]
            print(f"{lock.name}: not audited, the advisories could not be had ({reason})", file=sys.stderr)
            worst = max(worst, 2 if strict else 0)
    return worst


if __name__ == "__main__":
    sys.exit(main())
