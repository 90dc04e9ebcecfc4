"""Robust, disentangled, hierarchical VAEs, and the adversarial attacks that test them."""
