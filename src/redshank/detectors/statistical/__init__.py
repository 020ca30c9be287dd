"""Statistical detectors that need NumPy alone and cost little a reading."""
