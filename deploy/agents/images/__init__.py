"""Building the base image and the images of the sample agents."""
