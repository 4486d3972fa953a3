"""Write the table of `xaiaudio methods`, so that it is shown without TensorFlow."""

import json

from xaiaudio.cli.methods import LISTED, rows


def main() -> None:
    """Ask the methods themselves."""
    LISTED.write_text(json.dumps(rows(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
