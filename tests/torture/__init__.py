"""What a program goes through: kills, damaged files, wrong arguments, hostile input and faults. See `__main__`."""
