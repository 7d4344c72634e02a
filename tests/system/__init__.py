"""What only shows in the whole: faults, races, hostile scripts, the model, processes."""
