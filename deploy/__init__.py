"""What it takes to run the platform: images, local set-up, agents."""
