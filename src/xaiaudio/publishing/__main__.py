"""Renew the baselines: ``python -m xaiaudio.publishing --profile mini --seeds 3``."""

from __future__ import annotations

import argparse
import sys

from ..errors import XaiAudioError
from . import renew_baselines


def main(arguments=None) -> int:
    """Run the book with several seeds and write what it recorded to ``tests/baselines/``.

    Parameters
    ----------
    arguments : list of str, optional

    Returns
    -------
    int
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m xaiaudio.publishing", description=__doc__)
    parser.add_argument("--profile", default="mini")
    parser.add_argument("--seeds", type=int, default=3, help="how many runs, at least two")
    parser.add_argument("--workers", type=int, help="chapters at a time")
    chosen = parser.parse_args(arguments)
    try:
        renew_baselines(chosen.profile, seeds=chosen.seeds, workers=chosen.workers)
    except XaiAudioError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Finished chapters are kept.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
