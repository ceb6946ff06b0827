"""Replications and variants, over processes. Nothing about networks."""
