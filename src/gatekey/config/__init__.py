"""Configs: the routing tree that a caller sends or saves. Pure: text and catalog in, a complete tree out."""
