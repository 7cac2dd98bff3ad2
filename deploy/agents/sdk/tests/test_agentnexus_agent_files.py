"""Files of the input and of the result, in real programs."""

from pathlib import Path

from .test_agentnexus_agent_running import Program, result

SOURCE = r"""
from pathlib import Path
from agentnexus_agent import InputFile, output_file, output_path
from agentnexus_agent import files
files.OUTPUT = Path(__file__).parent / "out"

@agent
def gather(main: InputFile, more: list[InputFile] = [], extra: InputFile | None = None) -> dict:
    output_path("deep/b.bin").write_bytes(main.read_bytes())
    lines = [line for one in (main, *more) for line in one.open()]
    return {"name": main.name, "size": main.size, "type": main.media_type, "lines": lines, "same": open(main).read(),
            "extra": extra is None, "report": output_file("report.txt", "caf\u00e9\ud800")}
"""


def test_parameters_that_are_files(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "1.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n1,2")
    given = {"path": str(tmp_path / "1.csv"), "name": "Orders.csv", "size": 11, "media_type": "text/csv"}

    got = result(Program(tmp_path, SOURCE).run({"main": given, "more": [given]}))

    assert (got["name"], got["size"], got["type"], got["extra"]) == ("Orders.csv", 11, "text/csv", True)
    assert got["lines"] == ["a,b\r\n", "1,2", "a,b\r\n", "1,2"]
    assert got["report"] == "report.txt"
    assert (tmp_path / "out" / "report.txt").read_bytes() == "caf\u00e9\ufffd".encode()
    assert (tmp_path / "out" / "deep" / "b.bin").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_what_is_no_file_is_said_in_a_sentence(tmp_path: Path) -> None:
    program = Program(tmp_path, SOURCE)

    for given, sentence in ((5, "must be a file"), ("/nowhere", "is not there"), ({"name": "x"}, "must be a file")):
        ran = program.run({"main": given})
        assert ran.returncode == 2
        assert sentence in ran.stderr.decode()


def test_off_the_platform_files_go_to_a_folder_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a")

    ran = Program(tmp_path, SOURCE).run({"main": str(tmp_path / "1.csv")}, TMPDIR=str(tmp_path))

    assert result(ran)["report"] == "report.txt"
    (folder,) = tmp_path.glob("agent-output-*")
    assert (folder / "report.txt").is_file()
    assert str(folder) in ran.stderr.decode()
