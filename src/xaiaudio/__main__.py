"""The program ``xaiaudio``, also as ``python -m xaiaudio``.

Nothing is imported at the top: the imports of the command line take a moment, in which Ctrl-C must
end as it does later.
"""

import sys


def main() -> int:
    """Run the command that the program was called with, and return its exit status."""
    try:
        from .cli import main as run

        return run()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
