"""The unified accounting model: FreshBooks' records in the shape that other systems' have too.

What a column is and how it is filled stands in `mappings/`, one file per entity. `mapping.py` reads
and checks these files, and what a user lays over them; `expressions.py` makes functions of them,
and `streams.py` streams, which live on the records of the native ones.
"""
