"""The modules of the VL Whole Slide Microscopy Image IOD (PS3.3 A.32.8), a function for each."""
