"""Real Apache Cassandra for the tests: ordinary processes on 127.0.0.1, 127.0.0.2 and so on."""
from .certificates import Authority
from .cluster import Cluster

__all__ = ["Authority", "Cluster"]
