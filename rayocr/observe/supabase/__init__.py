"""Errors and dead letters as rows of a Supabase table; see `sink`."""
