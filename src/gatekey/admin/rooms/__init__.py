"""The rooms of the control plane: one file for each group of routes, which lists them as `routes`."""
