"""A cluster of four nodes in network namespaces of their own, and what it does when parts of it are lost (`make bench-fleet`)."""
