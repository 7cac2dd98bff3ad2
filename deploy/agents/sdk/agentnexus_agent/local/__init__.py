"""`agentnexus-agent run`: try an agent on your own machine, within the limits it will have on the platform."""
