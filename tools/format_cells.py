"""Put the code of the pages in style: `ruff format` for the code cells of book/*.md.

The pages show code in a column of text, so its lines are shorter than those of the package. With
--check nothing is written; the pages that are not in style are named, and the status is 1.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

COLUMNS = 86
BOOK = Path(__file__).parent.parent / "book"

# A cell: its fence and options, and its code.
CELL = re.compile(
    r"^(```\{code-cell\}[^\n]*\n(?:---\n.*?\n---\n|(?::[^\n]*\n)*)\n*)(.*?)^```$", re.M | re.S
)


def formatted(cells: list[str]) -> list[str]:
    """Return the code of cells in style; a cell with commands of IPython stays as it is."""
    plain = [k for k, code in enumerate(cells) if not re.search(r"^\s*[%!]", code, re.M)]
    with tempfile.TemporaryDirectory() as folder:
        files = {k: Path(folder) / f"cell{k}.py" for k in plain}
        for k, file in files.items():
            file.write_text(cells[k], encoding="utf-8")
        command = [sys.executable, "-m", "ruff", "format", "--quiet", "--isolated"]
        subprocess.run([*command, f"--line-length={COLUMNS}", folder], check=True)
        new = {k: file.read_text(encoding="utf-8") for k, file in files.items()}
    return [new.get(k, code) for k, code in enumerate(cells)]


def main() -> int:
    """Format the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, name what is not so")
    check = parser.parse_args().check
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(BOOK.glob("*.md"))}
    cells = iter(formatted([cell[2] for text in pages.values() for cell in CELL.finditer(text)]))
    status = 0
    for page, old in pages.items():
        new = CELL.sub(lambda cell: cell[1] + next(cells) + "```", old)
        if old == new:
            continue
        if check:
            status = 1
            print(f"The code of {page.name} is not in style: make format puts it so.")
        else:
            page.write_text(new, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
