"""Which hosts a version may declare."""

import pytest

from marketplace.catalogue.hosts import clean_hosts


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["api.openai.com:443"], ["api.openai.com:443"]),
        ([" API.OpenAI.com.:0443 ", "api.openai.com:443"], ["api.openai.com:443"]),
        (["*.openai.com:443"], ["*.openai.com:443"]),
        (["xn--bcher-kva.example.com:8443"], ["xn--bcher-kva.example.com:8443"]),
        (["me.github.io:443"], ["me.github.io:443"]),
        ([], []),
    ],
)
def test_kept(given: list[str], kept: list[str]) -> None:
    assert clean_hosts(given, 10) == kept


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("api.openai.com", "write the host's name and the port"),
        ("api.openai.com:0", "write the host's name and the port"),
        ("api.openai.com:70000", "write the host's name and the port"),
        ("https://api.openai.com:443", "not the name of a host"),
        ("api.openai.com:443/path", "write the host's name and the port"),
        ("user@api.openai.com:443", "not the name of a host"),
        ("api.openai.com:25", "may not send mail"),
        ("10.0.0.1:443", "addresses are not allowed"),
        ("8.8.8.8:443", "addresses are not allowed"),
        ("0x7f000001:443", "addresses are not allowed"),
        ("2130706433:443", "addresses are not allowed"),
        ("0177.0.0.1:443", "addresses are not allowed"),
        ("[::1]:443", "addresses are not allowed"),
        ("[::ffff:169.254.169.254]:80", "addresses are not allowed"),
        ("localhost:443", "not the name of a host"),
        ("db.localhost:443", "a name inside a network"),
        ("metadata.google.internal:80", "a name inside a network"),
        ("printer.local:443", "a name inside a network"),
        ("1.0.0.10.in-addr.arpa:443", "a name inside a network"),
        ("*:443", "not the name of a host"),
        ("*.com:443", "not the name of a host"),
        ("*.co.uk:443", "this is too wide"),
        ("*.github.io:443", "this is too wide"),
        ("*.s3.amazonaws.com:443", "this is too wide"),
        ("github.io:443", "this is too wide"),
        ("a.*.openai.com:443", "not the name of a host"),
        ("**.openai.com:443", "not the name of a host"),
        ("api..openai.com:443", "not the name of a host"),
        ("api.no-such-suffix:443", "this is too wide"),
        ("api.openai.com\nx:443", "not the name of a host"),
        ("api.openai.com acl:443", "not the name of a host"),
        ("bücher.example.com:443", "not the name of a host"),
        ("a" * 64 + ".com:443", "not the name of a host"),
        ("", "write the host's name and the port"),
        (None, "write the host's name and the port"),
    ],
)
def test_refused(given: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        clean_hosts([given], 10)


def test_number_of_hosts() -> None:
    many = [f"h{number}.example.com:443" for number in range(11)]
    assert len(clean_hosts(many[:10], 10)) == 10
    with pytest.raises(ValueError, match="at most 10 hosts"):
        clean_hosts(many, 10)
    with pytest.raises(ValueError, match="no network on this platform"):
        clean_hosts(many[:1], 0)
    with pytest.raises(ValueError, match="Give a list"):
        clean_hosts("api.openai.com:443", 10)
