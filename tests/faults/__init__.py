"""What goes wrong on the way: upstreams that break, stall and lie, and callers who leave."""
