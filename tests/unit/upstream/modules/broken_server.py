"""A server that cannot start, and says why."""

import sys

sys.exit("The weights are missing: fetch them first.")
