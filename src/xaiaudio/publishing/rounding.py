"""Other ways to round, for measuring how much of a number is rounding.

How a sum is rounded depends on the order of its terms, and that on the number of threads and on the
instructions of the processor. Environment variables choose among them on one machine, so that the
differences between machines can be measured on one.
"""

from __future__ import annotations

#: Variables of the kernel's process by name, the likeliest difference between two machines first.
#: The package asks for oneDNN everywhere; which instructions that uses depends on the processor.
ROUNDINGS = {
    "avx2": {
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "one-thread": {
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
    },
    "plain": {
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
}
