"""Signs of false robustness: each a function with a rule, a figure and a sentence what to do."""
