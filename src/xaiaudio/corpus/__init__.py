"""Archives: folders of any number of sounds, explained by many processes.

:func:`plan` lists the sounds and says what is asked of them, :func:`run` does it on Dask, unit by
unit, :func:`read` gives tables and maps. :mod:`.spectral` finds groups of maps.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "classes": ["ClassReport", "by_class"],
        "plans": ["ArchivePlan", "ArchiveSettings", "plan"],
        "results": ["Results", "read"],
        "running": ["Summary", "run"],
        "spectral": ["Groups", "groups_of"],
    },
)
