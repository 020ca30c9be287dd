"""Detectors made of other detectors: fused, stacked, lifted, or another library's."""
