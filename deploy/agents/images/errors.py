"""What stops a build, as a sentence that says what to do."""


class ImageBuildError(Exception):
    """No image could be built. The message is for the person at the terminal."""
