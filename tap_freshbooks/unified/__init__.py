"""The unified accounting model: FreshBooks' records in the form that other systems' have too.

`mappings/` has one file per entity, which describes its columns and how they are filled.
`mapping_files.py` and `expression_syntax.py` hold the form of these files, `mapping_loader.py`
merges those of the user into them, `expression_compiler.py` makes functions of their expressions,
`mapper.py` rows, and `streams.py` streams, which are made of the records of the native ones.
"""
