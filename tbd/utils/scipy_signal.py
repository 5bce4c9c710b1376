"""Parts of `scipy.signal` for programs that start often: without `scipy.stats`, which one of its other functions needs.

That takes half of the import's 0.5 s.
"""

from tbd.utils.late_imports import imported_when_used

__all__ = ["butter", "find_peaks", "sosfiltfilt"]

with imported_when_used({"scipy.stats": ["scoreatpercentile"]}):
    from scipy.signal import butter, find_peaks, sosfiltfilt
