"""The control plane's REST API: keys, credentials, configs, workspaces. One file in `rooms/` a group."""
