"""PostgreSQL: migrations, SQL, rows to domain and back."""
