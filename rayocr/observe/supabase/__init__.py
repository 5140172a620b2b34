"""Errors and dead letters as rows of a table of Supabase, for people who look there; see `sink`."""
