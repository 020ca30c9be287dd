"""From raw rows to rows fit for a detector: cleaning, filling, scaling, denoising, reducing, cutting.

Rows are arrays of shape (n, channels), float32 or float64, and keep their dtype. A value that is NaN, infinite or
larger than a reading may be (the largest float32) is missing; what leaves this room is finite, or NaN for missing.
"""

from redshank.features.cadence import grid_places, irregular_share, log_gaps
from redshank.features.causal import CausalDenoiser
from redshank.features.clean import checksum, crc_ok, drop_duplicates, within_limits
from redshank.features.interpolate import hold, interpolate
from redshank.features.reduce import PCA
from redshank.features.rolling import rolling
from redshank.features.scale import Scaler
from redshank.features.wavelet import denoise
from redshank.features.windows import period, segments, windows

__all__ = [
    "PCA",
    "CausalDenoiser",
    "Scaler",
    "checksum",
    "crc_ok",
    "denoise",
    "drop_duplicates",
    "grid_places",
    "hold",
    "interpolate",
    "irregular_share",
    "log_gaps",
    "period",
    "rolling",
    "segments",
    "windows",
    "within_limits",
]
