"""The queue: durable jobs in the catalogue's own database."""
