"""What readings are worth: gaps, clock, physics, evidence grade, daily summaries."""
