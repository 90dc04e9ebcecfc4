"""The attacks of an audit: a table of objectives, budgets and solvers, free of parameters."""
