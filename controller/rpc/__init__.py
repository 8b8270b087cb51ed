"""The agents' edge: one gRPC stream per phone."""
