"""``python -m xaiaudio.cli``."""

import sys

from . import main

sys.exit(main())
