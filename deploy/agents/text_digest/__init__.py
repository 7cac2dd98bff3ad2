"""Sample agent: what a long text says, in one page."""
