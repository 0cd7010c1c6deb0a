"""The shell: HTTP in front, `life` in the middle, upstreams behind. It acts; what it acts on is decided below."""
