"""The application: everything with a database, a socket or a clock."""
