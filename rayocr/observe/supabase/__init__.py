"""Sends errors and dead letters to a Supabase table as rows; see `sink`."""
