"""What the system speaks of: pure, frozen values."""
