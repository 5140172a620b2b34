"""A cluster of four nodes in separate network namespaces, and its behavior when parts fail (`make bench-fleet`)."""
