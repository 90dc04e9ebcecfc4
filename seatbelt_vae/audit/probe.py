"""Before an audit starts: what was understood of the model, and how long the audit will take."""
