"""Write an AgentNexus agent: JSON in on stdin, JSON out as the last line of stdout, everything else is log."""

from agentnexus_agent.errors import AgentError
from agentnexus_agent.files import InputFile, output_file, output_path
from agentnexus_agent.logging import log
from agentnexus_agent.running import agent

__all__ = ["AgentError", "InputFile", "agent", "log", "output_file", "output_path"]
