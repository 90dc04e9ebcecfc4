"""An audit as one JSON document: its schema, and its version."""
