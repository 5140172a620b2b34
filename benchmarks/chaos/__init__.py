"""`make chaos SEEDS=20`: kills, pauses or removes parts of a run, and checks the guarantees afterwards.

A black box: the command line as a user starts it, a simulated Gemini that counts what it was paid for, a real Redis-compatible
server, a real Ray of one or two nodes. A seed decides the kind of scenario, the documents, the settings and the moments, so that
what was found can be looked at again: `python -m benchmarks.chaos --seed 7`.
"""
