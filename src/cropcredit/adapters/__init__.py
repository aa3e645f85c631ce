"""One module per technology; third-party errors stop here."""
