"""What grows: series, season metrics, yield models with intervals, their validation."""
