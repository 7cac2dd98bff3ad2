"""WebAssembly modules of creators: what is taken, and where it is kept."""
