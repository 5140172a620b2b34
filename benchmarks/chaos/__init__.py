"""`make chaos SEEDS=20`: kills, pauses or removes parts of a run, and checks the guarantees afterwards.

It is a black-box test of the command line as a user starts it, with a simulated Gemini that counts paid requests, a real
Redis-compatible server, and a real Ray with one or two nodes. A seed determines the kind of scenario, the documents, the
settings and the moments, so that failures can be reproduced: `python -m benchmarks.chaos --seed 7`."""
