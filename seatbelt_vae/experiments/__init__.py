"""Local stub."""
