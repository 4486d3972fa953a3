#!/bin/sh
# Make a virtual environment with a Python that the project runs on: make_venv.sh FOLDER
# $PYTHON names the interpreter; otherwise the first that fits is taken.
set -eu

venv=$1
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

if [ -x "$venv/bin/python" ] && "$venv/bin/python" -c "import sys, pip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" 2>/dev/null; then
  exit 0
fi

chosen=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
  if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$fits" 2>/dev/null; then
    chosen=$candidate
    break
  fi
done
if [ -z "$chosen" ]; then
  found=$("${PYTHON:-python3}" --version 2>&1 || true)
  echo "Python 3.11, 3.12 or 3.13 is needed, but ${PYTHON:-python3} is: ${found:-not there}." >&2
  echo "Install one, or name it: make install PYTHON=/path/to/python3.12" >&2
  exit 1
fi
if ! "$chosen" -c "import venv, ensurepip" 2>/dev/null; then
  echo "$chosen cannot make virtual environments: its modules venv and ensurepip are missing." >&2
  echo "On Debian and Ubuntu: apt-get install python3-venv" >&2
  exit 1
fi
# Half an environment is worse than none.
trap 'rm -rf "$venv"' INT TERM HUP
"$chosen" -m venv --clear "$venv" || { rm -rf "$venv"; exit 1; }
