"""Classical detectors that learn without labels."""
