"""The synthetic demo region and its story; everything it makes is labelled synthetic."""
