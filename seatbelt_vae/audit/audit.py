"""One call: probe, attack, compare with controls, flag, and say how robust the model is."""
