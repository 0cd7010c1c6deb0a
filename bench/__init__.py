"""What Gatekey costs, beside nginx as a plain reverse proxy and the TypeScript original.

Everything listens on loopback, every load is bounded in time and in connections, and nothing outlives the run.
It measures only: it is no test, it asserts nothing about behaviour, and Gatekey never imports it.
"""
