"""What lies in the object store beside pixels: where, and as which documents."""
