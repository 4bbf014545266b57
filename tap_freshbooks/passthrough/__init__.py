"""`tap-freshbooks api`: a request to any endpoint, signed in and patient as a sync is."""
