"""The model that runs on this machine: no account, no key, no network.

`python -m gatekey.local` serves it over HTTP in a process of its own; `install` fetches its weights.
Nothing here is imported by the gateway: the provider `local` only knows the module's name.
"""
