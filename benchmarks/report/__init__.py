"""The page about what was measured."""
