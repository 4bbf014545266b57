"""Looks at an account without reading it: what a sync will cost, and whether the facts hold."""
