"""The parts of the case page; each draws one thing from records that a use case gave."""
