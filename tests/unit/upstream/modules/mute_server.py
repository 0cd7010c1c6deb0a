"""A server whose first line is not what was agreed."""

import sys

print("hello", flush=True)
sys.stdin.read()
