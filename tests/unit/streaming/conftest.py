"""Generated examples are judged by what they give, never by how long they take on a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
