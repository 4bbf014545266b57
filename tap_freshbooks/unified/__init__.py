"""The unified accounting model: FreshBooks' records in the shape that other systems' have too.

What a column is and how it is filled stands in `mappings/`, one file per entity. `documents.py` and
`forms.py` say what may stand there, `mapping.py` lays a user's files over ours, `expressions.py`
makes functions of them, and `streams.py` streams, which live on the records of the native ones.
"""
