"""Exact answers: what of a scenario has a closed form or a Markov chain, and what has not.

No replication is run here. What is answered is the expected value of a metric over the scenario's
own window, so that the mean over replications can be held to it.
"""
