"""Field boundaries: repair, area, core, overlaps, identity, home tile."""
