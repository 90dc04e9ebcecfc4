"""Fast evaluation of a frozen model, verified against the model itself."""
