"""Tests. A package, so that they can share the fake provider and the running gateway."""
