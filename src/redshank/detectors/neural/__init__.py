"""Neural detectors; the only room that imports torch, beside images and export."""
