"""The laboratory's link: HL7 v2 in and out (MLLP or files), messages kept, statements applied."""
