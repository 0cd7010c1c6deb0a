"""Real clients against a running gateway: what people already have must work with another base URL and nothing else."""
