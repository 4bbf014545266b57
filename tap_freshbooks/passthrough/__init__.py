"""`tap-freshbooks api`: a request to any endpoint, with the tokens and retries of a sync."""
