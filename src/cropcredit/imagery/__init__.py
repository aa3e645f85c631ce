"""From digital numbers to an index per field and date."""
