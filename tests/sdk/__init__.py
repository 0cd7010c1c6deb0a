"""The Python client: `sdk/python`."""
