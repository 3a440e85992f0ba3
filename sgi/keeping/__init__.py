"""Work on what is stored: moves between tiers."""
