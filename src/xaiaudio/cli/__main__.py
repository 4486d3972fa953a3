"""``python -m xaiaudio.cli`` is ``python -m xaiaudio``."""

import sys

from ..__main__ import main

sys.exit(main())
