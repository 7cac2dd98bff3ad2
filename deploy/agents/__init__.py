"""Sample agents, the image they stand on, and the package they are written with."""
