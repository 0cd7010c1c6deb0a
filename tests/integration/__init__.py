"""The running gateway, from a caller's side: one subject a file."""
